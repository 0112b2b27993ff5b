// The series of a tower: one panel per flux; observed and filled months, two methods with intervals, the others on call.
const [FIRST, SECOND, BLACK, GREY, FILLED] = ["#0072b2", "#d55e00", "#000000", "#8c8c8c", "#cc79a7"];
const OTHERS = ["#e69f00", "#56b4e9", "#009e73", "#8c8c8c", "#000000"];
const DASHES = ["solid", "dot", "dashdot"];

// A key of a method: of this run "method/backbone", of the other run with "2:" before it.
function member(key, run, other) {
  const theirs = key.startsWith("2:");
  const of = theirs ? other : run;
  const name = theirs ? key.slice(2) : key;
  const label = of?.methods.find((one) => one.key === name)?.label || name;
  return { run: of, key: name, label: theirs ? `${of.run}: ${label}` : label };
}

function band(x, low, high, colour, axes, group) {
  const edge = { type: "scatter", mode: "lines", x, line: { width: 0 }, hoverinfo: "skip", showlegend: false, legendgroup: group, name: "90 % interval", ...axes };
  return [{ ...edge, y: low }, { ...edge, y: high, fill: "tonexty", fillcolor: `${colour}2e` }];
}

function methodTraces(key, place, style, tower, axes, first, run, other) {
  const of = member(key, run, other);
  const index = of.run?.place.get(tower.id);
  const parts = of.run?.predicted[of.key];
  if (index === undefined || !parts) return [];
  const flux = of.run.fluxes.findIndex((one) => one.name === style.flux);
  const mean = slice(parts.mean, index, flux);
  if (!mean.some(Number.isFinite)) return [];
  const [low, high] = [slice(parts.low, index, flux), slice(parts.high, index, flux)];
  const line = { type: "scatter", mode: "lines", x: of.run.months, y: mean, name: plain(of.label), legendgroup: key, showlegend: first, connectgaps: false, line: { color: style.colour, dash: style.dash, width: 1.6 }, visible: style.visible, ...axes };
  return [...(low && style.band ? band(of.run.months, low, high, style.colour, axes, key) : []), line];
}

function observedTraces(run, index, flux, axes, first) {
  const values = slice(run.observed.value, index, flux);
  const quality = slice(run.observed.quality, index, flux);
  const kinds = [["observed", BLACK, "circle", (q) => q >= 0.5], ["observed, poor quality", GREY, "circle-open", (q) => !(q >= 0.5)]];
  return kinds.map(([name, color, symbol, good]) => {
    const y = Array.from(values, (value, month) => (Number.isFinite(value) && good(quality[month]) ? value : null));
    return { type: "scatter", mode: "markers", x: run.months, y, name, legendgroup: name, showlegend: first, marker: { color, symbol, size: 5 }, ...axes };
  });
}

function filledTrace(run, index, flux, axes, first) {
  if (!run.filled) return [];
  const [y, low, high] = ["mean", "low", "high"].map((part) => slice(run.filled[part], index, flux));
  const error_y = { type: "data", symmetric: false, array: high.map((v, m) => v - y[m]), arrayminus: y.map((v, m) => v - low[m]), color: `${FILLED}88`, thickness: 1, width: 0 };
  return [{ type: "scatter", mode: "markers", x: run.months, y, error_y, name: "imputed", legendgroup: "imputed", showlegend: first, marker: { color: FILLED, symbol: "diamond-open", size: 5 }, ...axes }];
}

function drawSeries(state, run, other) {
  const element = document.getElementById("series");
  const tower = run.towers[state.tower];
  if (!tower) return Plotly.purge(element);
  const traces = [];
  const layout = {
    width: element.clientWidth, height: (window.innerWidth > 960 ? 185 : 130) * run.fluxes.length + 170, margin: { l: 58, r: 8, t: 30, b: 30 }, hovermode: "closest", uirevision: tower.id, dragmode: "pan",
    legend: { orientation: "h", y: -0.08, yanchor: "top", font: { size: 11 } }, font: { size: 12 },
    grid: { rows: run.fluxes.length, columns: 1, pattern: "coupled", ygap: 0.1 }, xaxis: { type: "date", hoverformat: "%Y-%m" },
  };
  run.fluxes.forEach((flux, place) => {
    const suffix = place ? place + 1 : "";
    const axes = { xaxis: "x", yaxis: `y${suffix}` };
    layout[`yaxis${suffix}`] = { title: { text: `${flux.name.toUpperCase()}<br>(${unitText(flux.unit)})`, font: { size: 11 } }, zeroline: flux.signed, automargin: false };
    const first = place === 0;
    const style = { flux: flux.name, band: true, visible: true };
    if (state.other) traces.push(...methodTraces(state.other, place, { ...style, colour: SECOND, dash: "dash" }, tower, axes, first, run, other));
    traces.push(...methodTraces(state.method, place, { ...style, colour: FIRST, dash: "solid" }, tower, axes, first, run, other));
    run.methods.filter((one) => one.key !== state.method && one.key !== state.other).forEach((one, rank) => {
      const own = { ...style, band: false, visible: "legendonly", colour: OTHERS[rank % OTHERS.length], dash: DASHES[Math.floor(rank / OTHERS.length) % DASHES.length] };
      traces.push(...methodTraces(one.key, place, own, tower, axes, first, run, other));
    });
    traces.push(...filledTrace(run, state.tower, place, axes, first), ...observedTraces(run, state.tower, place, axes, first));
  });
  element.style.height = `${layout.height}px`;
  return Plotly.react(element, traces, layout, SETTINGS);
}
