/* What a subject in C needs beside its formulas: the line protocol, JSON read and written, memory, errors. */
#define _POSIX_C_SOURCE 200809L /* getline */
#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = 1 << 20 };

typedef struct Value { /* a list of its items; an object of its keys and values in turn */
  struct Value *first, *next;
  const char *text;
  double *numbers; /* all that stand in it, in order */
  size_t size;
} Value;

static Value values[ROOM], *last, nothing = {.text = ""};
static double memory[ROOM], *unused; /* of one line; the next one begins anew */
static double id;                    /* of the question that is being answered */
static char *at;                     /* how far the line is read */
static const char *comma;            /* before the next gradient */
static jmp_buf next_line;

/* Answers the line with an error, or declines it, and goes on to the next. */
static _Noreturn void fail(const char *type, const char *why) {
  printf("{\"type\":\"%s\",\"id\":%.0f,\"reason\":\"%s\"}\n", type, id, why);
  longjmp(next_line, 1);
}

/* Room for so many numbers, all 0. */
static double *room(size_t size) {
  if (size > (size_t)(memory + ROOM - unused)) fail("error", "too many numbers");
  unused += size;
  return memset(unused - size, 0, size * sizeof(double));
}

/* The value at `at`. Commas and colons count as blanks. */
static Value *parse(int depth) {
  static const char blank[] = " \t\r\n,:";
  at += strspn(at, blank);
  if (!*at || depth > 50 || last == values + ROOM) fail("error", "this is not JSON, or too much of it");
  Value *v = last++, **tail = &v->first;
  int quoted = *at == '"';
  *v = (Value){.text = at + quoted, .numbers = unused};
  if (*at == '[' || *at == '{') {
    for (at++; at += strspn(at, blank), *at != ']' && *at != '}'; tail = &(*tail)->next)
      *tail = parse(depth + 1);
    at++;
  } else {
    double x = strtod(v->text, &at); /* "NaN", "Infinity" and "-0.0" are strings */
    if (at > v->text) *room(1) = x;
    at += strcspn(at, quoted ? "\"\\" : " \t\r\n,:[]{}\"");
    if (!*at || *at == '\\') fail("error", "the line ends too early, or has an escape");
    if (quoted) *at++ = '\0';
  }
  v->size = unused - v->numbers;
  return v;
}

/* A member of an object; `nothing`, which is empty, if it is not there. */
static const Value *get(const Value *object, const char *key) {
  for (const Value *k = object->first; k && k->next; k = k->next->next)
    if (!strcmp(k->text, key)) return k->next;
  return &nothing;
}

/* Number i of a member, over and over again; or `usual`, if it is not there. */
static double number(const Value *object, const char *key, size_t i, double usual) {
  const Value *v = get(object, key);
  return v->size ? v->numbers[i % v->size] : usual;
}

static size_t count(double x) { return x >= 1 && x < ROOM ? (size_t)x : 1; } /* a number as a length */

/* The numbers of a tensor, as many as its shape says. */
static const Value *get_data(const Value *tensor) {
  const Value *data = get(tensor, "data"), *shape = get(tensor, "shape");
  double size = *get(tensor, "dtype")->text == 'b' ? 0 : 1; /* truth values are not kept */
  for (size_t k = 0; k < shape->size; k++) size *= shape->numbers[k];
  if (*shape->text != '[' || size != data->size) fail("error", "a shape and its numbers do not fit");
  return data;
}

static void put(double x, const Value *dtype) {
  if (!strcmp(dtype->text, "float32")) x = (float)x;
  if (isfinite(x) && (x || !signbit(x))) printf("%.17g", x);
  else printf("\"%s\"", isnan(x) ? "NaN" : x > 0 ? "Infinity" : x < 0 ? "-Infinity" : "-0.0");
}

/* Numbers in the rows of others; returns what is left of them. */
static const double *put_rows(const double *x, const Value *like, const Value *dtype) {
  if (*like->text != '[') {
    if (like->size) put(*x, dtype);
    return x + like->size;
  }
  putchar('[');
  for (const Value *row = like->first; row; row = row->next) {
    x = put_rows(x, row, dtype);
    if (row->next) putchar(',');
  }
  putchar(']');
  return x;
}

/* An answer begins with its loss, goes on with gradients, and is ended by "}}}". */
static void put_loss(double loss, const Value *dtype) {
  printf("{\"type\":\"answer\",\"id\":%.0f,\"answer\":{\"kind\":\"gradient\",\"loss\":", id);
  put(loss, dtype);
  printf(",\"gradients\":{");
  comma = "";
}

/* The gradient of a tensor, which it is like; of integers there is none. */
static void put_gradient(const char *name, const double *x, const Value *like) {
  const Value *dtype = get(like, "dtype"), *shape = get(like, "shape");
  if (*dtype->text != 'f') return;
  printf("%s\"%s\":{\"dtype\":\"%s\",", comma, name, dtype->text);
  printf("\"shape\":%.*s,\"data\":", (int)strcspn(shape->text, "]") + 1, shape->text);
  put_rows(x, get(like, "data"), dtype);
  putchar('}');
  comma = ",";
}

/* Who answers, and the operators that it knows. */
static void put_hello(const char *name, const char operators[][20], int count) {
  printf("{\"type\":\"hello\",\"protocol\":1,\"name\":\"%s\",\"language\":\"C\",\"supports\":[", name);
  for (int k = 0; k < count; k++) printf("%s\"%s\"", k ? "," : "", operators[k]);
  puts("]}");
}

/* Answers every line of standard input; `answer` writes the answer to a case. */
static void serve(const char *name, const char operators[][20], int count, void (*answer)(const Value *)) {
  static char *line;
  static size_t length;
  while (getline(&line, &length, stdin) > 0) {
    last = values, unused = memory, at = line, id = -1;
    if (!setjmp(next_line)) {
      const Value *question = parse(0);
      const char *type = get(question, "type")->text;
      id = number(question, "id", 0, -1);
      if (!strcmp(type, "bye")) return;
      if (!strcmp(type, "hello")) put_hello(name, operators, count);
      else if (!strcmp(type, "run")) answer(get(question, "case"));
      else fail("error", "a line should be hello, run or bye");
    }
    fflush(stdout);
  }
}
