/* A multilayer perceptron in C, over protocol.h: a case on a line in, its gradients on a line out.
 *     cc -std=c11 -O2 mlp.c -o mlp -lm && oracle check "cmd:./mlp" --profile mlp
 * All is computed in double, and rounded to the dtype of the case when it is written. */
#include "protocol.h"

enum { GIVEN, LINEAR, LEAKY, RELU, IDENTITY, SIGMOID, TANH, DOT, HALF, MSE, BCE, CROSS, OPS, MOST = 999 };
static const char OP[OPS][20] = {"", "Linear", "LeakyReLU", "ReLU", "Identity", "Sigmoid", "Tanh", "Dot",
                                 "HalfSquaredError", "MSELoss", "BCEWithLogitsLoss", "CrossEntropyLoss"};

typedef struct Tensor { /* given, or made by a node from x and t; delta is its error signal, dL/dvalue */
  const char *name;
  const Value *json, *attrs; /* of the tensor, or of the node; its arguments */
  struct Tensor *x, *t, *bias;
  size_t size, terms, fan, C;
  double *value, *delta, n;
  int op, labels;
} Tensor;
static Tensor tensors[MOST], *end, none = {.json = &nothing, .attrs = &nothing};

/* ---- The lesson. A node adds up terms, of x[i] and t[j]: the k-th is a part of its number k / fan. ---- */
typedef struct { size_t i, j; double y, dx, dt; } Term; /* y, dy/dx[i], dy/dt[j] */
static double sigmoid(double z) { return 1 / (1 + exp(-z)); }
static double softplus(double z) { return fmax(z, 0) + log1p(exp(-fabs(z))); }

static double goal(const Tensor *f, size_t i) { /* w ((1 - s) t + s / C): of a class, smoothed and weighted */
  double s = number(f->attrs, "label_smoothing", 0, 0), label = f->t->value[i / f->C];
  if (f->labels && label == number(f->attrs, "ignore_index", 0, -100)) return 0;
  double t = f->labels ? label == i % f->C : f->t->value[i];
  return number(f->attrs, "weight", i, 1) * ((1 - s) * t + s / f->C);
}

static Term cross_entropy(const Tensor *f, size_t i) { /* -t log y, y = softmax(z); slope y sum(t) - t */
  const double *z = f->x->value, s = number(f->attrs, "label_smoothing", 0, 0), t = goal(f, i);
  double top = -INFINITY, sum = 0, total = 0;
  for (size_t c = i - i % f->C; c < i - i % f->C + f->C; c++) top = fmax(top, z[c]);
  for (size_t c = i - i % f->C; c < i - i % f->C + f->C; c++) sum += exp(z[c] - top);
  for (size_t c = i - i % f->C; c < i - i % f->C + f->C; c++) total += goal(f, c);
  double log_y = z[i] - top - log(sum), dt = -number(f->attrs, "weight", i, 1) * (1 - s) * log_y;
  return (Term){i, f->labels ? 0 : i, -t * log_y, exp(log_y) * total - t, f->labels ? 0 : dt};
}

static Term term(const Tensor *f, size_t k) {
  size_t W = f->op == LINEAR ? f->t->size : f->terms, F = f->op == LINEAR ? f->fan : f->terms;
  size_t i = k / W * F + k % F, j = k % W; /* Linear is of every row of x and every weight */
  double z = f->x->value[i], t = f->t->size && !f->labels ? f->t->value[j] : 0, d = z - t;
  double w = number(f->attrs, "weight", k, 1), q = number(f->attrs, "pos_weight", k, 1);
  double a = number(f->attrs, "negative_slope", 0, 0.01);
  switch (f->op) {
    case LEAKY: return (Term){i, j, z > 0 ? z : a * z, z > 0 ? 1 : a, 0};
    case RELU: return (Term){i, j, z > 0 ? z : 0, z > 0, 0};
    case IDENTITY: return (Term){i, j, z, 1, 0};
    case SIGMOID: return (Term){i, j, sigmoid(z), sigmoid(z) * sigmoid(-z), 0};
    case TANH: return (Term){i, j, tanh(z), 1 / (cosh(z) * cosh(z)), 0};
    case HALF: return (Term){i, j, d * d / 2, d, -d};
    case MSE: return (Term){i, j, d * d, 2 * d, -2 * d};
    case BCE:
      return (Term){i, j, w * (q * t * softplus(-z) + (1 - t) * softplus(z)),
                    w * ((1 - t) * sigmoid(z) - q * t * sigmoid(-z)), w * ((q - 1) * softplus(-z) - z)};
    case CROSS: return cross_entropy(f, k);
    default: return (Term){i, j, z * t, t, z}; /* Dot; and Linear, whose t are the weights */
  }
}

static void forward(Tensor *f) {
  for (size_t k = 0; k < f->size && f->bias->size; k++) f->value[k] = f->bias->value[k % f->bias->size];
  for (size_t k = 0; k < f->terms; k++) f->value[k / f->fan] += term(f, k).y;
  for (size_t k = 0; k < f->size; k++) f->value[k] /= f->n;
  if (!f->n) f->n = 1; /* the mean of nothing is NaN, and its gradient 0 */
}

static void backward(const Tensor *f) { /* the error signal of x */
  for (size_t k = 0; k < f->terms; k++)
    f->x->delta[term(f, k).i] += f->delta[k / f->fan] / f->n * term(f, k).dx;
}

static void partials(const Tensor *f) { /* of weights (of a loss: the error signal of t) and of biases */
  for (size_t k = 0; k < f->terms && f->t->size; k++)
    f->t->delta[term(f, k).j] += f->delta[k / f->fan] / f->n * term(f, k).dt;
  for (size_t k = 0; k < f->size && f->bias->size; k++) f->bias->delta[k % f->bias->size] += f->delta[k];
}

/* ---- The graph. ---- */
static Tensor *find(const Value *node, const char *role) { /* the tensor called node + role */
  char name[200];
  snprintf(name, sizeof name, "%s%s", node ? node->text : "", role);
  for (Tensor *t = tensors; t < end; t++)
    if (!strcmp(t->name, name)) return t;
  if (strcmp(role, ".bias")) fail("error", "a tensor is read that is not there");
  return &none;
}

static Tensor *add(Tensor t) {
  if (end == tensors + MOST) fail("error", "too many tensors");
  t.value = t.value ? t.value : room(t.size), t.delta = room(t.size);
  *end = t;
  return end++;
}

static void add_given(const Value *group) {
  for (const Value *name = group->first, *data; name && name->next; name = name->next->next) {
    data = get_data(name->next);
    add((Tensor){.name = name->text, .json = name->next, .value = data->numbers, .size = data->size});
  }
}

static Tensor *add_node(const Value *json) { /* what it reads, and how much it makes of it */
  const Value *name = get(json, "name"), *in = get(json, "inputs")->first;
  Tensor f = {.name = name->text, .json = json, .x = find(in, ""), .t = &none, .bias = &none, .C = 1};
  f.attrs = get(json, "attrs");
  for (f.op = LINEAR; f.op < OPS && strcmp(get(json, "op")->text, OP[f.op]);) f.op++;
  if (f.op == OPS || get(json, "params")->first) fail("declined", "an unknown operator, or shared weights");
  if (f.op == LINEAR) f.t = find(name, ".weight"), f.bias = find(name, ".bias");
  if (f.op >= DOT) f.t = find(in ? in->next : NULL, "");
  const Value *shape = get(f.t->json, "shape");
  f.labels = f.op == CROSS && *get(f.t->json, "dtype")->text == 'i';
  if (f.op == CROSS && shape->size + f.labels - 1 > 1) fail("declined", "not rows of classes");
  size_t size = f.x->size, F = count(number(f.attrs, "in_features", 0, 1)), H = f.t->size / F;
  if (f.op == CROSS && f.t->size) f.C = f.labels ? size / f.t->size : count(shape->numbers[shape->size - 1]);
  int fits = f.op < DOT || f.t->size * (f.labels ? f.C : 1) == size;
  if (f.op == LINEAR) fits = size % F == 0 && H * F == f.t->size && (!f.bias->size || f.bias->size == H);
  if (!fits || !f.C || size % f.C) fail("error", "the shapes do not fit");
  const char *how = get(f.attrs, "reduction")->text;
  int one = f.op >= DOT && strcmp(how, "none"), mean = f.op > HALF ? one && strcmp(how, "sum") : *how == 'm';
  f.terms = f.op == LINEAR ? size * H : size;
  f.fan = f.op == LINEAR ? F : one ? size + !size : f.C;
  f.n = !mean ? 1 : f.labels ? 0 : size / f.C;
  for (size_t i = 0; i < size && mean && f.labels; i++)
    if (f.t->value[i / f.C] == i % f.C && goal(&f, i)) f.n += number(f.attrs, "weight", i, 1);
  f.size = one ? 1 : f.terms / f.fan;
  return add(f);
}

static void answer(const Value *asked) {
  if (!strcmp(get(asked, "kind")->text, "update")) fail("declined", "no step 5");
  end = tensors;
  add_given(get(asked, "parameters"));
  add_given(get(asked, "inputs"));
  for (const Value *node = get(asked, "nodes")->first; node; node = node->next) forward(add_node(node));
  if (end == tensors || end[-1].op == GIVEN || end[-1].size != 1) fail("error", "there is no loss");
  *end[-1].delta = 1;
  for (Tensor *f = end - 1; f->op != GIVEN; f--) backward(f), partials(f);
  put_loss(*end[-1].value, get(asked, "dtype"));
  for (Tensor *t = tensors; t->op == GIVEN; t++) put_gradient(t->name, t->delta, t->json);
  puts("}}}");
}

int main(void) { serve("mlp.c", OP + 1, OPS - 1, answer); }
