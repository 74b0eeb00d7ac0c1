// A multilayer perceptron in JavaScript, as a subject: a case on a line in, its gradients on a line out.
//     oracle check "cmd:node mlp.js" --profile mlp
// A tensor is {shape, data, delta}: its numbers in order, and its error signal ∂L/∂data. All is computed in
// double precision, and rounded to the dtype of the case when it is written.
"use strict";

class Declined extends Error {}
const need = (ok, reason) => { if (!ok) throw new Error(reason); };
const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);
const size = (shape) => shape.reduce((a, b) => a * b, 1);
const at = (weights, i) => weights[i % weights.length];
const tensor = (shape, data) => ({ shape, data, delta: data.map(() => 0) });

// ---- Linear: z = x Wᵀ + b. The error signal is δ W; the partials are δᵀ x and Σₙ δₙ.
const Linear = ({ in_features: F, out_features: H }) => {
  const products = (z, visit) => z.data.forEach((_, k) => { // z[k] is a sum of products x[i] W[j]
    for (let f = 0; f < F; f++) visit(k, Math.floor(k / H) * F + f, (k % H) * F + f);
  });
  return {
    forward([x], { weight: W, bias: b }) {
      need(F > 0 && x.shape.at(-1) === F && W.data.length === H * F, "Linear: the shapes do not fit");
      const shape = [...x.shape.slice(0, -1), H], z = tensor(shape, new Array(size(shape)).fill(0));
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

// ---- What works entry by entry: activations a = f(z) and losses f(y, t). Each is f, ∂f/∂y and ∂f/∂t.
const sigmoid = (z) => 1 / (1 + Math.exp(-z));
const softplus = (z) => Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));
const Identity = () => [(z) => z, () => 1];
const ReLU = () => [(z) => (z > 0 ? z : 0), (z) => (z > 0 ? 1 : 0)];
const LeakyReLU = ({ negative_slope: s = 0.01 }) => [(z) => (z > 0 ? z : s * z), (z) => (z > 0 ? 1 : s)];
const Sigmoid = () => [sigmoid, (z) => sigmoid(z) * sigmoid(-z)];
const Tanh = () => [Math.tanh, (z) => 1 / Math.cosh(z) ** 2];
const Dot = () => [(y, c) => y * c, (y, c) => c, (y, c) => y];
const HalfSquaredError = () => [(y, t) => (y - t) ** 2 / 2, (y, t) => y - t, (y, t) => t - y];
const MSELoss = () => [(y, t) => (y - t) ** 2, (y, t) => 2 * (y - t), (y, t) => 2 * (t - y)];
const BCEWithLogitsLoss = ({ weight: w = [1], pos_weight: q = [1] }) => [
  (y, t, i) => at(w, i) * (at(q, i) * t * softplus(-y) + (1 - t) * softplus(y)),
  (y, t, i) => at(w, i) * ((1 - t) * sigmoid(y) - at(q, i) * t * sigmoid(-y)),
  (y, t, i) => at(w, i) * ((at(q, i) - 1) * softplus(-y) - y),
];
const entrywise = (make, usual) => ({ reduction = usual, ...attrs }) => {
  const [f, toY, toT] = make(attrs);
  return {
    forward([y, t]) {
      need(!t || String(y.shape) === String(t.shape), "the prediction and the target have different shapes");
      return reduced(y.shape, y.data.map((_, i) => f(y.data[i], t?.data[i], i)), reduction, y.data.length);
    },
    backward: ([y, t], out) => y.data.forEach((_, i) => {
      y.delta[i] += share(out, i) * toY(y.data[i], t?.data[i], i);
      if (t) t.delta[i] += share(out, i) * toT(y.data[i], t.data[i], i);
    }),
  };
};
const reduced = (shape, costs, reduction, n) => { // the costs, their sum, or their sum / n
  if (reduction === "none") return { ...tensor(shape, costs), n: 1 };
  return { ...tensor([], [sum(costs) / (reduction === "mean" ? n : 1)]), n: reduction === "mean" ? n : 1 };
};
const share = (L, i) => L.delta[i % L.delta.length] / (L.n || 1); // δ of a cost; the mean of nothing has none

// ---- Cross-entropy: −Σ t log y with y = softmax(z), row by row; n is the weight of the samples.
const logSoftmax = (z) => { // z − m − log Σ e^(z − m), m the greatest z
  const m = Math.max(...z), log_sum = Math.log(sum(z.map((x) => Math.exp(x - m))));
  return z.map((x) => x - m - log_sum);
};
const CrossEntropyLoss = ({ weight: w = [1], ignore_index = -100, label_smoothing: s = 0, reduction }) => ({
  forward([z, t]) {
    if (z.shape.length > 2) throw new Declined("CrossEntropyLoss: no more than two axes");
    const shape = z.shape.slice(0, -1), C = z.shape.at(-1), N = size(shape);
    need(t.data.length === (t.real ? N * C : N), "CrossEntropyLoss: the target has another shape");
    const one = (n, c) => (t.real ? t.data[n * C + c] : Number(t.data[n] === c));
    const counts = (n) => t.real || t.data[n] !== ignore_index;
    const wanted = (n, c) => (counts(n) ? at(w, c) * ((1 - s) * one(n, c) + s / C) : 0);
    const rows = Array.from(Array(N), (_, n) => logSoftmax(z.data.slice(n * C, n * C + C)));
    const samples = rows.map((log_y, n) => ({ log_y, goal: log_y.map((_, c) => wanted(n, c)) }));
    const costs = samples.map(({ log_y, goal }) => -sum(goal.map((g, c) => g * log_y[c])));
    const weight = t.real ? N : sum(t.data.filter((label) => label !== ignore_index).map((c) => at(w, c)));
    return { ...reduced(shape, costs, reduction ?? "mean", weight), samples };
  },
  backward: ([z, t], loss) => loss.samples.forEach(({ log_y, goal }, n) => log_y.forEach((log, c) => {
    const i = n * goal.length + c;
    z.delta[i] += share(loss, n) * (Math.exp(log) * sum(goal) - goal[c]); // δ (y Σ t − t)
    if (t.real) t.delta[i] -= share(loss, n) * at(w, c) * (1 - s) * log;
  })),
});

// ---- The graph: forward from the first node to the last, backward and partials from the last to the first.
const named = (operators, usual) => Object.entries(operators).map(([name, f]) => [name, entrywise(f, usual)]);
const OPERATORS = new Map([["Linear", Linear], ["CrossEntropyLoss", CrossEntropyLoss],
  ...named({ Identity, ReLU, LeakyReLU, Sigmoid, Tanh }, "none"), ...named({ Dot, HalfSquaredError }, "sum"),
  ...named({ MSELoss, BCEWithLogitsLoss }, "mean")]);

const read = ({ dtype, shape, data }) => {
  const numbers = [data].flat(Infinity).map(Number); // "Infinity" and "-0.0" are words
  need(numbers.length === size(shape), `there are ${numbers.length} numbers in a tensor of shape [${shape}]`);
  return { ...tensor(shape, numbers), dtype, rows: data, real: dtype.startsWith("float") };
};
const word = (x) => (Object.is(x, -0) ? "-0.0" : Number.isFinite(x) ? x : String(x));
const rewritten = (rows, numbers) => // the same rows, with other numbers
  Array.isArray(rows) ? rows.map((row) => rewritten(row, numbers)) : word(numbers.next().value);
const backprop = ({ kind, dtype, nodes, inputs, parameters }) => {
  if (kind === "update") throw new Declined("no step 5");
  const given = Object.entries({ ...parameters, ...inputs }).map(([name, raw]) => [name, read(raw)]);
  const tensors = new Map(given), round = dtype === "float32" ? Math.fround : (x) => x;
  const trace = nodes.map(({ name, op, inputs, attrs = {}, params = {} }) => {
    if (!OPERATORS.has(op)) throw new Declined(`no operator ${op}`);
    const [weight, bias] = ["weight", "bias"].map((role) => tensors.get(params[role] ?? `${name}.${role}`));
    const node = OPERATORS.get(op)(attrs), theta = { weight, bias };
    const x = inputs.map((input) => tensors.get(input)), out = node.forward(x, theta);
    tensors.set(name, out);
    return { node, x, out, theta };
  });
  const loss = trace.at(-1).out;
  loss.delta[0] = 1;
  for (const { node, x, out, theta } of trace.reverse()) {
    node.backward(x, out, theta);
    node.partials?.(x, out, theta);
  }
  const gradients = given.filter(([, x]) => x.real).map(([name, { dtype, shape, delta, rows }]) =>
    [name, { dtype, shape, data: rewritten(rows, delta.map(round).values()) }]);
  return { kind: "gradient", loss: word(round(loss.data[0])), gradients: Object.fromEntries(gradients) };
};

// ---- The protocol: hello, run, bye.
const HELLO = { protocol: 1, name: "mlp.js", language: "JavaScript", supports: [...OPERATORS.keys()] };
const answer = (line) => {
  let asked = null;
  try {
    asked = JSON.parse(line);
    if (asked.type === "bye") process.exit(0);
    if (asked.type === "hello") return { type: "hello", ...HELLO };
    need(asked.type === "run", "a line should be hello, run or bye");
    return { type: "answer", id: asked.id, answer: backprop(asked.case) };
  } catch (error) {
    const type = error instanceof Declined ? "declined" : "error";
    return { type, id: asked?.id ?? -1, reason: error.message };
  }
};
require("readline").createInterface({ input: process.stdin })
  .on("line", (line) => process.stdout.write(JSON.stringify(answer(line)) + "\n"));
