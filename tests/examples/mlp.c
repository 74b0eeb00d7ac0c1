/* Backpropagation through a multilayer perceptron in C: a case on a line in, its gradients on a line out.
 *     cc -std=c11 -O2 mlp.c -o mlp -lm && oracle check "cmd:./mlp" --profile mlp
 * All is computed in double, and rounded to the dtype of the case when it is written. */
#define _POSIX_C_SOURCE 200809L /* getline */
#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
enum { LINEAR, LEAKY_RELU, RELU, IDENTITY, SIGMOID, TANH, DOT, HALF, MSE, BCE, CROSS_ENTROPY, OPS, ROOM = 1 << 20 };
static const char OP[OPS][20] = {"Linear", "LeakyReLU", "ReLU", "Identity", "Sigmoid", "Tanh", "Dot",
                                 "HalfSquaredError", "MSELoss", "BCEWithLogitsLoss", "CrossEntropyLoss"};
typedef struct Value { /* of JSON, with all the numbers in it; a node gets those that it makes of x and t */
  struct Value *first, *next, *given, *x, *t, *bias;
  const char *text;
  double *value, *delta, n; /* delta is the error signal, dL/dvalue */
  size_t size, terms, fan, classes;
  int op, labels;
} Value;
static Value values[ROOM], *last, nothing = {.text = ""};
static double numbers[2 * ROOM], *unused, id;
static char *line, *at;
static int single;
static jmp_buf next_line;

/* ---- JSON. Commas and colons count as blanks: an object is the list of its keys and values. ---- */

static _Noreturn void fail(const char *type, const char *why) {
  printf("{\"type\":\"%s\",\"id\":%.0f,\"reason\":\"%s\"}\n", type, id, why);
  longjmp(next_line, 1);
}
static void make_room(Value *v, size_t size) {
  if (size >= (size_t)(numbers + ROOM - unused)) fail("error", "too many numbers");
  v->value = unused, v->delta = unused + ROOM, v->size = size;
  for (size_t k = 0; k < size; k++) v->value[k] = v->delta[k] = 0;
  unused += size;
}
static Value *parse(int depth) {
  at += strspn(at, " \t\r\n,:");
  if (!*at || depth > 50 || last == values + ROOM) fail("error", "this is not JSON, or too much of it");
  Value *v = last++, **tail = &v->first;
  int quoted = *at == '"';
  *v = (Value){.text = at + quoted, .value = unused, .delta = unused + ROOM};
  if (*at == '[' || *at == '{') {
    for (at++; at += strspn(at, " \t\r\n,:"), *at != ']' && *at != '}'; tail = &(*tail)->next)
      *tail = parse(depth + 1);
    at++;
  } else {
    double x = strtod(v->text, &at); /* "Infinity" and "-0.0" are strings */
    if (at > v->text) make_room(v, 1), *v->value = x;
    at += strcspn(at, quoted ? "\"\\" : " \t\r\n,:[]{}\"");
    if (!*at || *at == '\\') fail("error", "this line ends too early, or has an escape");
    if (quoted) *at++ = '\0';
  }
  v->size = unused - v->value;
  return v;
}
static Value *get(const Value *object, const char *key) {
  for (Value *k = object->first; k && k->next; k = k->next->next)
    if (!strcmp(k->text, key)) return k->next;
  return &nothing;
}
static double argument(const Value *node, const char *name, size_t i, double otherwise) {
  const Value *v = get(get(node, "attrs"), name);
  return v->size ? v->value[i % v->size] : otherwise;
}

/* ---- The lesson. A node adds up terms: term k is a part of its number k / fan. ---- */

typedef struct { size_t i, j; double y, dx, dt; } Term; /* of x[i] and t[j], with its slopes by both */

static double sigmoid(double z) { return 1 / (1 + exp(-z)); }
static double softplus(double z) { return fmax(z, 0) + log1p(exp(-fabs(z))); }
static double goal(const Value *f, size_t i) { /* w ((1 - s) t + s / C): a class, smoothed and weighted */
  double s = argument(f, "label_smoothing", 0, 0), label = f->t->value[i / f->classes];
  if (f->labels && label == argument(f, "ignore_index", 0, -100)) return 0;
  double t = f->labels ? label == i % f->classes : f->t->value[i];
  return argument(f, "weight", i, 1) * ((1 - s) * t + s / f->classes);
}
static Term cross_entropy(const Value *f, size_t i) { /* -t log y with y = softmax(z); slope y sum(t) - t */
  double top = -INFINITY, sum = 0, total = 0, t = goal(f, i), s = argument(f, "label_smoothing", 0, 0);
  size_t from = i - i % f->classes, to = from + f->classes;
  for (size_t c = from; c < to; c++) top = fmax(top, f->x->value[c]);
  for (size_t c = from; c < to; c++) sum += exp(f->x->value[c] - top);
  for (size_t c = from; c < to; c++) total += goal(f, c);
  double log_y = f->x->value[i] - top - log(sum), dt = -argument(f, "weight", i, 1) * (1 - s) * log_y;
  return (Term){i, f->labels ? 0 : i, -t * log_y, exp(log_y) * total - t, f->labels ? 0 : dt};
}
static Term term(const Value *f, size_t k) {
  size_t F = f->fan, HF = f->t->size; /* W is (H, F); the k-th product of Linear is of sample k / HF */
  size_t i = f->op == LINEAR ? k / HF * F + k % F : k, j = f->op == LINEAR ? k % HF : k;
  double z = f->x->value[i], t = f->t->size && !f->labels ? f->t->value[j] : 0, d = z - t, a, w, q;
  switch (f->op) {
    case LEAKY_RELU:
      a = argument(f, "negative_slope", 0, 0.01);
      return (Term){i, j, z > 0 ? z : a * z, z > 0 ? 1 : a, 0};
    case RELU: return (Term){i, j, z > 0 ? z : 0, z > 0, 0};
    case IDENTITY: return (Term){i, j, z, 1, 0};
    case SIGMOID: return (Term){i, j, sigmoid(z), sigmoid(z) * sigmoid(-z), 0};
    case TANH: return (Term){i, j, tanh(z), 1 / (cosh(z) * cosh(z)), 0};
    case HALF: return (Term){i, j, d * d / 2, d, -d};
    case MSE: return (Term){i, j, d * d, 2 * d, -2 * d};
    case BCE:
      w = argument(f, "weight", k, 1), q = argument(f, "pos_weight", k, 1);
      return (Term){i, j, w * (q * t * softplus(-z) + (1 - t) * softplus(z)),
                    w * ((1 - t) * sigmoid(z) - q * t * sigmoid(-z)), w * ((q - 1) * softplus(-z) - z)};
    case CROSS_ENTROPY: return cross_entropy(f, k);
    default: return (Term){i, j, z * t, t, z}; /* Dot, and Linear, whose t are the weights */
  }
}
static void forward(Value *f) {
  for (size_t k = 0; k < f->size; k++) f->value[k] = f->bias->size ? f->bias->value[k % f->bias->size] : 0;
  for (size_t k = 0; k < f->terms; k++) f->value[k / f->fan] += term(f, k).y;
  for (size_t k = 0; k < f->size; k++) f->value[k] /= f->n;
}
static void backward(const Value *f) { /* the error signal of x */
  for (size_t k = 0; k < f->terms; k++) f->x->delta[term(f, k).i] += f->delta[k / f->fan] / f->n * term(f, k).dx;
}
static void partials(const Value *f) { /* of weights (for a loss, the error signal of its target) and of biases */
  for (size_t k = 0; f->t->size && k < f->terms; k++)
    f->t->delta[term(f, k).j] += f->delta[k / f->fan] / f->n * term(f, k).dt;
  for (size_t k = 0; f->bias->size && k < f->size; k++) f->bias->delta[k % f->bias->size] += f->delta[k];
}

/* ---- The graph, and the protocol. ---- */

static Value *find(const Value *graph, const char *node, const char *role) { /* the numbers called node + role */
  char name[200];
  snprintf(name, sizeof name, "%s%s", node, role);
  for (Value *n = get(graph, "nodes")->first; n; n = n->next)
    if (n->t && !strcmp(get(n, "name")->text, name)) return n;
  Value *input = get(get(graph, "inputs"), name), *theta = get(get(graph, "parameters"), name);
  Value *given = input == &nothing ? theta : input, *data = get(given, "data");
  if (data == &nothing && strcmp(role, ".bias")) fail("error", "a tensor is read that is not there");
  data->given = given;
  return data;
}
static void connect(const Value *graph, Value *f) { /* what a node reads, and how much it makes of it */
  const char *name = get(f, "name")->text, *how = get(get(f, "attrs"), "reduction")->text;
  for (f->op = 0; f->op < OPS && strcmp(get(f, "op")->text, OP[f->op]);) f->op++;
  if (f->op == OPS || get(f, "params")->first) fail("declined", "an unknown operator, or shared parameters");
  const Value *in = get(f, "inputs")->first, *second = in && in->next ? in->next : &nothing;
  f->x = find(graph, in ? in->text : "", "");
  f->bias = f->op == LINEAR ? find(graph, name, ".bias") : &nothing;
  f->t = f->op == LINEAR ? find(graph, name, ".weight") : f->op >= DOT ? find(graph, second->text, "") : &nothing;
  const Value *shape = f->t->given ? get(f->t->given, "shape") : &nothing;
  f->labels = f->op == CROSS_ENTROPY && f->t->given && *get(f->t->given, "dtype")->text == 'i';
  if (f->op == CROSS_ENTROPY && (shape == &nothing || shape->size + f->labels > 2))
    fail("declined", "cross-entropy is for rows of classes, and a target that is given");

  size_t size = f->x->size, F = fmin(fmax(argument(f, "in_features", 0, 1), 1), ROOM), H = f->t->size / F, C = 1;
  if (f->op == CROSS_ENTROPY && f->t->size) C = f->labels ? size / f->t->size : shape->value[shape->size - 1];
  int fits = f->op < DOT || f->t->size * (f->labels ? C : 1) == size;
  if (f->op == LINEAR) fits = size % F == 0 && H * F == f->t->size && (!f->bias->size || f->bias->size == H);
  if (!fits || C < 1 || size % C) fail("error", "the shapes do not fit");
  int one = f->op >= DOT && strcmp(how, "none"); /* number is made: the mean, or the sum */
  int mean = f->op > HALF ? one && strcmp(how, "sum") : !strcmp(how, "mean");
  f->classes = C;
  f->terms = f->op == LINEAR ? size * H : size;
  f->fan = f->op == LINEAR ? F : one ? size + !size : C;
  f->n = !mean ? 1 : f->labels ? 0 : size / C;
  for (size_t i = 0; mean && f->labels && i < size; i++)
    if (f->t->value[i / C] == i % C && goal(f, i)) f->n += argument(f, "weight", i, 1);
  make_room(f, one ? 1 : f->terms / f->fan);
}
static void walk(const Value *graph, Value *f) { /* forward down the list of nodes, and back up again */
  if (!f) return;
  connect(graph, f);
  forward(f);
  if (!f->n) f->n = 1; /* the mean of nothing is NaN, and its gradient 0 */
  if (!f->next) *f->delta = f->size ? 1 : 0;
  walk(graph, f->next);
  backward(f);
  partials(f);
}
static void put(double x) {
  if (single) x = (float)x;
  if (isfinite(x) && (x || !signbit(x))) printf("%.17g", x);
  else printf("\"%s\"", isnan(x) ? "NaN" : x > 0 ? "Infinity" : x < 0 ? "-Infinity" : "-0.0");
}
static void put_delta(const Value *data) { /* the error signals, in the rows of the numbers */
  if (*data->text != '[') return put(*data->delta);
  putchar('[');
  for (const Value *row = data->first; row; row = row->next) {
    put_delta(row);
    if (row->next) putchar(',');
  }
  putchar(']');
}
static void put_gradients(const Value *given, const char **comma) {
  for (const Value *name = given->first; name && name->next; name = name->next->next) {
    const char *dtype = get(name->next, "dtype")->text, *shape = get(name->next, "shape")->text;
    if (*dtype != 'f') continue;
    printf("%s\"%s\":{\"dtype\":\"%s\",\"shape\":", *comma, name->text, dtype);
    printf("%.*s,\"data\":", (int)strcspn(shape, "]") + 1, shape);
    put_delta(get(name->next, "data"));
    printf("}");
    *comma = ",";
  }
}
static void answer(const Value *graph) {
  const Value *loss = get(graph, "nodes")->first;
  const char *comma = "";
  if (!strcmp(get(graph, "kind")->text, "update")) fail("declined", "no step 5");
  walk(graph, get(graph, "nodes")->first);
  while (loss && loss->next) loss = loss->next;
  if (!loss || loss->size != 1) fail("error", "the last node is not one number");
  single = !strcmp(get(graph, "dtype")->text, "float32");
  printf("{\"type\":\"answer\",\"id\":%.0f,\"answer\":{\"kind\":\"gradient\",\"loss\":", id);
  put(*loss->value);
  printf(",\"gradients\":{");
  put_gradients(get(graph, "parameters"), &comma);
  put_gradients(get(graph, "inputs"), &comma);
  puts("}}}");
}
static void reply(const Value *asked) {
  const char *type = get(asked, "type")->text;
  if (get(asked, "id")->size) id = *get(asked, "id")->value;
  if (!strcmp(type, "bye")) exit(0);
  if (!strcmp(type, "run")) return answer(get(asked, "case"));
  if (strcmp(type, "hello")) fail("error", "a line should be hello, run or bye");
  printf("{\"type\":\"hello\",\"protocol\":1,\"name\":\"mlp.c\",\"language\":\"C\",\"supports\":[");
  for (int op = 0; op < OPS; op++) printf("\"%s\"%s", OP[op], op < OPS - 1 ? "," : "]}\n");
}
int main(void) {
  size_t length = 0;
  while (getline(&line, &length, stdin) > 0) {
    last = values, unused = numbers, at = line, id = -1;
    if (!setjmp(next_line)) reply(parse(0));
    fflush(stdout);
  }
  return 0;
}
