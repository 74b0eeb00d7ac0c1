// Backpropagation through a multilayer perceptron in JavaScript: a case on a line in, its gradients on a line out.
//     oracle check "cmd:node mlp.js" --profile mlp
// A tensor is {shape, data, delta}: its numbers in order, and its error signal ∂L/∂data. Everything is computed in
// double precision, and rounded to the dtype of the case when it is written.
"use strict";

class Declined extends Error {}
const need = (ok, reason) => { if (!ok) throw new Error(reason); };
const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);
const size = (shape) => shape.reduce((a, b) => a * b, 1);
const tensor = (shape, data) => ({ shape, data, delta: data.map(() => 0) });

// ---- Activations: a = σ(z), and σ′(z).

const sigmoid = (z) => 1 / (1 + Math.exp(-z));
const softplus = (z) => Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));
const activation = (make) => (attrs) => {
  const [sigma, slope] = make(attrs);
  return {
    forward: ([x]) => tensor(x.shape, x.data.map((z) => sigma(z))),
    backward: ([x], a) => a.delta.forEach((d, i) => { x.delta[i] += d * slope(x.data[i]); }),
  };
};
const Identity = () => [(z) => z, () => 1];
const ReLU = () => [(z) => (z > 0 ? z : 0), (z) => (z > 0 ? 1 : 0)];
const LeakyReLU = ({ negative_slope: s = 0.01 }) => [(z) => (z > 0 ? z : s * z), (z) => (z > 0 ? 1 : s)];
const Sigmoid = () => [sigmoid, (z) => sigmoid(z) * sigmoid(-z)];
const Tanh = () => [Math.tanh, (z) => 1 / Math.cosh(z) ** 2];

// ---- Linear: z = x Wᵀ + b. The error signal is δ W; the partials are δᵀ x and Σₙ δₙ.

const Linear = ({ in_features: F, out_features: H }) => {
  const products = (z, visit) => z.data.forEach((_, k) => { // number k of z is a sum over numbers i of x and j of W
    for (let f = 0; f < F; f++) visit(k, Math.floor(k / H) * F + f, (k % H) * F + f);
  });
  return {
    forward([x], { weight: W, bias: b }) {
      need(x.shape.at(-1) === F && W.data.length === H * F, "Linear: the shapes do not fit");
      const rows = x.shape.slice(0, -1), z = tensor([...rows, H], new Array(size(rows) * H).fill(0));
      products(z, (k, i, j) => { z.data[k] += x.data[i] * W.data[j]; });
      if (b) z.data.forEach((_, k) => { z.data[k] += b.data[k % H]; });
      return z;
    },
    backward: ([x], z, { weight: W }) => products(z, (k, i, j) => { x.delta[i] += z.delta[k] * W.data[j]; }),
    partials([x], z, { weight: W, bias: b }) {
      products(z, (k, i, j) => { W.delta[j] += z.delta[k] * x.data[i]; });
      if (b) z.delta.forEach((d, k) => { b.delta[k % H] += d; });
    },
  };
};

// ---- Losses of a prediction y and a target t: Σ costs, Σ costs / n, or the costs. `share` is the δ of each cost.

const reduced = (shape, costs, reduction, n) => {
  if (reduction === "none") return { ...tensor(shape, costs), share: (delta, i) => delta[i] };
  const divisor = reduction === "mean" ? n : 1;
  return { ...tensor([], [sum(costs) / divisor]), share: (delta) => delta[0] / (divisor || 1) }; // no NaN of 0/0
};

// Losses that compare entry by entry: the cost, ∂cost/∂y, ∂cost/∂t; n counts entries.
const entrywise = (make, otherwise) => ({ reduction = otherwise, ...attrs }) => {
  const [cost, toY, toT] = make(attrs);
  return {
    forward([y, t]) {
      need(String(y.shape) === String(t.shape), "the prediction and the target have different shapes");
      return reduced(y.shape, y.data.map((_, i) => cost(y.data[i], t.data[i], i)), reduction, y.data.length);
    },
    backward: ([y, t], loss) => y.data.forEach((_, i) => {
      y.delta[i] += loss.share(loss.delta, i) * toY(y.data[i], t.data[i], i);
      t.delta[i] += loss.share(loss.delta, i) * toT(y.data[i], t.data[i], i);
    }),
  };
};
const Dot = () => [(y, c) => y * c, (y, c) => c, (y, c) => y];
const HalfSquaredError = () => [(y, t) => (y - t) ** 2 / 2, (y, t) => y - t, (y, t) => t - y];
const MSELoss = () => [(y, t) => (y - t) ** 2, (y, t) => 2 * (y - t), (y, t) => 2 * (t - y)];
const BCEWithLogitsLoss = ({ weight = [1], pos_weight = [1] }) => {
  const w = (i) => weight[i % weight.length], q = (i) => pos_weight[i % pos_weight.length];
  return [
    (y, t, i) => w(i) * (q(i) * t * softplus(-y) + (1 - t) * softplus(y)),
    (y, t, i) => w(i) * ((1 - t) * sigmoid(y) - q(i) * t * sigmoid(-y)),
    (y, t, i) => w(i) * ((q(i) - 1) * softplus(-y) - y),
  ];
};

// Cross-entropy: −Σ t log y with y = softmax(z), for each sample (a row); n counts samples, by their weights.
const logSoftmax = (z) => { // z − m − log Σ e^(z − m), m the greatest z
  const m = Math.max(...z), log = Math.log(sum(z.map((x) => Math.exp(x - m))));
  return z.map((x) => x - m - log);
};
const CrossEntropyLoss = ({ weight, ignore_index = -100, label_smoothing: s = 0, reduction = "mean" }) => {
  const w = (c) => (weight ? weight[c] : 1), counts = (t, n) => t.real || t.data[n] !== ignore_index;
  const chosen = (t, n, c, C) => (t.real ? t.data[n * C + c] : Number(t.data[n] === c));
  const goal = (t, n, c, C) => counts(t, n) * w(c) * ((1 - s) * chosen(t, n, c, C) + s / C);
  const rows = ({ data, shape }, C = shape.at(-1)) =>
    Array.from({ length: size(shape.slice(0, -1)) }, (_, n) => logSoftmax(data.slice(n * C, (n + 1) * C)));
  return {
    forward([z, t]) {
      if (z.shape.length > 2) throw new Declined("CrossEntropyLoss: no more than two axes");
      const log_y = rows(z), C = z.shape.at(-1);
      need(t.data.length === (t.real ? z.data.length : log_y.length), "CrossEntropyLoss: the shapes do not fit");
      const costs = log_y.map((row, n) => -sum(row.map((log, c) => goal(t, n, c, C) * log)));
      const n = t.real ? costs.length : sum(t.data.filter((_, n) => counts(t, n)).map(w));
      return reduced(z.shape.slice(0, -1), costs, reduction, n);
    },
    backward: ([z, t], loss) => rows(z).forEach((row, n) => row.forEach((log_y, c, { length: C }) => {
      const delta = loss.share(loss.delta, n), total = sum(row.map((_, j) => goal(t, n, j, C)));
      z.delta[n * C + c] += delta * (Math.exp(log_y) * total - goal(t, n, c, C)); // y Σ t − t
      if (t.real) t.delta[n * C + c] -= delta * w(c) * (1 - s) * log_y;
    })),
  };
};

const OPERATORS = new Map(Object.entries({
  Linear, CrossEntropyLoss, Dot: entrywise(Dot, "sum"), HalfSquaredError: entrywise(HalfSquaredError, "sum"),
  MSELoss: entrywise(MSELoss, "mean"), BCEWithLogitsLoss: entrywise(BCEWithLogitsLoss, "mean"),
  Identity: activation(Identity), ReLU: activation(ReLU), LeakyReLU: activation(LeakyReLU),
  Sigmoid: activation(Sigmoid), Tanh: activation(Tanh),
}));

// ---- The graph: forward from the first node to the last, backward and partials from the last to the first.

const read = ({ dtype, shape, data }) => {
  const numbers = [data].flat(Infinity).map(Number); // "NaN", "Infinity" and "-0.0" are words
  need(numbers.length === size(shape), `there are ${numbers.length} numbers in a tensor of shape [${shape}]`);
  return { ...tensor(shape, numbers), dtype, real: dtype.startsWith("float"), rows: data };
};
const word = (x) => (Number.isFinite(x) && !Object.is(x, -0) ? x : Object.is(x, -0) ? "-0.0" : String(x));
const rewritten = (data, numbers) => // the same rows, with other numbers
  Array.isArray(data) ? data.map((row) => rewritten(row, numbers)) : word(numbers.next().value);

const backprop = ({ kind, dtype, nodes, inputs, parameters = {} }) => {
  if (kind === "update") throw new Declined("no step 5");
  const unknown = nodes.find(({ op }) => !OPERATORS.has(op));
  if (unknown) throw new Declined(`no operator ${unknown.op}`);
  const given = Object.entries({ ...parameters, ...inputs }).map(([name, raw]) => [name, read(raw)]);
  const tensors = new Map(given), round = dtype === "float32" ? Math.fround : (x) => x;
  const find = (name) => tensors.get(name) ?? need(false, `there is no tensor ${name}`);
  const made = nodes.map(({ name, op, inputs, attrs = {}, params = {} }) => {
    const parameter = (role) => tensors.get(params[role] ?? `${name}.${role}`);
    const node = OPERATORS.get(op)(attrs), x = inputs.map(find);
    const theta = { weight: parameter("weight"), bias: parameter("bias") };
    const out = node.forward(x, theta);
    tensors.set(name, out);
    return { ...node, x, theta, out };
  });
  const loss = made.at(-1).out;
  need(loss.data.length === 1, "the last node is not one number");
  loss.delta[0] = 1;
  for (const { backward, partials, x, out, theta } of made.reverse()) {
    backward(x, out, theta);
    partials?.(x, out, theta);
  }
  const gradients = given.filter(([, x]) => x.real).map(([name, { dtype, shape, delta, rows }]) =>
    [name, { dtype, shape, data: rewritten(rows, delta.map(round).values()) }]);
  return { kind: "gradient", loss: word(round(loss.data[0])), gradients: Object.fromEntries(gradients) };
};

// ---- The protocol.

const answer = ({ type, id, case: asked }) => {
  if (type === "bye") process.exit(0);
  if (type === "hello")
    return { type, protocol: 1, name: "mlp.js", language: "JavaScript", supports: [...OPERATORS.keys()] };
  need(type === "run", "a line should be hello, run or bye");
  return { type: "answer", id, answer: backprop(asked) };
};
const reply = (line, id = null) => {
  try {
    const asked = JSON.parse(line);
    id = asked.id ?? null;
    return answer(asked);
  } catch (error) {
    return { type: error instanceof Declined ? "declined" : "error", id, reason: String(error.message) };
  }
};
require("readline").createInterface({ input: process.stdin })
  .on("line", (line) => process.stdout.write(JSON.stringify(reply(line)) + "\n"));
