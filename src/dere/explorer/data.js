// What the page holds, and how it is read. Numbers are 16-bit integers, compressed (dere.explorer.pack).
const MISSING = -32768;

// (…) array as { at(i, j, …), shape }; missing values are NaN.
async function unpack(packed) {
  if (!packed) return null;
  const bytes = Uint8Array.from(atob(packed.data), (letter) => letter.charCodeAt(0));
  const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const numbers = new Int16Array(await new Response(plain).arrayBuffer());
  const values = Float32Array.from(numbers, (n) => (n === MISSING ? NaN : packed.middle + packed.step * n));
  return { shape: packed.shape, values };
}

// The last axis of an array at the first indices: a month of a map, the series of a flux of a tower.
function slice(array, ...first) {
  if (!array) return null;
  const { shape, values } = array;
  const length = shape[shape.length - 1];
  const row = first.reduce((sum, index, axis) => sum * shape[axis] + index, 0);
  return values.subarray(row * length, (row + 1) * length);
}

async function unpackAll(of) {
  const names = Object.keys(of || {});
  const arrays = await Promise.all(names.map((name) => unpack(of[name])));
  return Object.fromEntries(names.map((name, place) => [name, arrays[place]]));
}

// A run as the page works with it: its tree with all arrays unpacked.
async function opened(tree) {
  const run = { ...tree, place: new Map(tree.towers.map((tower, index) => [tower.id, index])) };
  run.observed = await unpackAll(tree.observed);
  run.filled = tree.filled && (await unpackAll(tree.filled));
  run.predicted = {};
  for (const [key, parts] of Object.entries(tree.predicted)) run.predicted[key] = await unpackAll(parts);
  if (tree.map) {
    run.map = { ...tree.map, index: await unpack(tree.map.index), values: {} };
    for (const [flux, parts] of Object.entries(tree.map.values)) run.map.values[flux] = await unpackAll(parts);
  }
  return run;
}

function treeOf(text) {
  const page = new DOMParser().parseFromString(text, "text/html");
  const element = page.getElementById("data");
  try {
    return JSON.parse(element.textContent);
  } catch {
    throw new Error("is no explorer of a run; choose explorer/index.html of its folder");
  }
}

// Why another run cannot stand beside this one; nothing where it can.
function refused(run, other) {
  if (other.format !== run.format)
    return `is of format ${other.format}, but this page reads format ${run.format}; make it again with this version`;
  if (other.exchange !== run.exchange)
    return `shows ${other.exchange}, but this run ${run.exchange}; choose a run of the same exchange`;
  return "";
}

const known = (value) => value !== null && value !== undefined && Number.isFinite(value);

// The library reads some HTML in its texts; text of data is none.
const plain = (text) => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

const RAISED = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };
const unitText = (unit) => unit.replace(/([A-Za-z])(-?\d+)/g, (_, letter, power) => letter + [...power].map((c) => RAISED[c]).join(""));

const number = (value, digits = 2) => (known(value) ? value.toFixed(digits) : "–");

// Values below which shares of all lie.
function quantiles(values, shares) {
  const sorted = Float32Array.from(values).filter((value) => Number.isFinite(value)).sort();
  return shares.map((share) => (sorted.length ? sorted[Math.round(share * (sorted.length - 1))] : NaN));
}
