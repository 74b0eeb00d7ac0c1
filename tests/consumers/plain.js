// Knows the schema of the vectors and nothing else: node plain.js DIR DTYPE ANSWERS... prints the wrong ids of each.
const fs = require("fs");
const [dir, dtype, ...files] = process.argv.slice(2);
const read = (path) => JSON.parse(fs.readFileSync(path, "utf8"));
const inside = (low, high, got) => Array.isArray(low)
  ? Array.isArray(got) && got.length === low.length && low.every((l, k) => inside(l, high[k], got[k]))
  : typeof got === "number" && low <= got && got <= high;
const right = ({expected}, answer) => answer !== undefined
  && inside(expected.loss[dtype].low, expected.loss[dtype].high, answer.loss)
  && Object.entries(expected.gradients).every(([name, bound]) =>
    inside(bound[dtype].low, bound[dtype].high, answer.gradients[name]));
const vectors = read(`${dir}/index.json`).vectors.map((entry) => read(`${dir}/${entry.file}`))
  .filter((vector) => dtype in vector.expected.loss);
for (const file of files) {
  const answers = read(file);
  console.log(JSON.stringify(vectors.filter((v) => !right(v, answers[v.id])).map((v) => v.id)));
}
