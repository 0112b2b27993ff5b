// The map: a flux of the product in cells, land, and the towers by their scores.
const RED_BLUE = [[0, "#053061"], [0.25, "#4393c3"], [0.5, "#f7f7f7"], [0.75, "#d6604d"], [1, "#67001f"]];
const SMALL_LARGE = ["#440154", "#31688e", "#35b779", "#fde725"].map((colour, place) => [place / 3, colour]);
const UNTESTED = "#ffffff";
const STEPS = ["#440154", "#31688e", "#35b779", "#fde725"]; // those of the first page: 0, 0.25, 0.5, 0.75
const WORST = "#d55e00";
// the library can send a chart to its makers' server: not from this page
const SETTINGS = { displaylogo: false, showSendToCloud: false, plotlyServerURL: "", modeBarButtonsToRemove: ["lasso2d", "select2d", "autoScale2d"] };
const OUTLINES = new WeakMap();

const STATISTICS = {
  mean: "mean flux",
  width: "width of the 90 % interval",
  index: "extrapolation index (0 to 1)",
  none: "towers only",
};

function outlines(run) {
  if (!OUTLINES.has(run)) {
    const x = [], y = [];
    for (const ring of run.land) {
      for (const [lon, lat] of ring) x.push(lon), y.push(lat);
      x.push(null), y.push(null);
    }
    OUTLINES.set(run, { x, y });
  }
  return OUTLINES.get(run);
}

// Values of the map's cells for what is chosen.
function cellValues(run, flux, statistic, period, month) {
  if (statistic === "index") return run.map.index.values;
  const array = run.map.values[flux][statistic];
  if (period === "month") return slice(array, month);
  const [months, cells] = array.shape;
  const mean = new Float32Array(cells);
  // a month counts with its days
  let days = 0;
  for (let m = 0; m < months; m++) {
    const [year, number] = run.map.months[m].split("-").map(Number);
    const length = new Date(Date.UTC(year, number, 0)).getUTCDate();
    const values = slice(array, m);
    for (let c = 0; c < cells; c++) mean[c] += values[c] * length;
    days += length;
  }
  return mean.map((sum) => sum / days);
}

// Whether two maps have the same cells and months, so that one can be taken from the other.
const sameGrid = (one, other) =>
  ["lat", "lon", "cells", "months"].every((name) => JSON.stringify(one[name]) === JSON.stringify(other[name]));

function grid(map, values) {
  const columns = map.lon.length - 1;
  const rows = Array.from({ length: map.lat.length - 1 }, () => new Array(columns).fill(null));
  map.cells.forEach((cell, place) => {
    if (Number.isFinite(values[place])) rows[Math.floor(cell / columns)][cell % columns] = values[place];
  });
  return rows;
}

function colours(all, signed) {
  if (signed) {
    const [low, high] = quantiles(all, [0.01, 0.99]);
    const most = Math.max(Math.abs(low), Math.abs(high)) || 1;
    return { colorscale: RED_BLUE, zmin: -most, zmax: most };
  }
  const [low, high] = quantiles(all, [0.01, 0.99]);
  return { colorscale: "Cividis", zmin: Math.min(low, 0), zmax: high > 0 ? high : 1 };
}

// The cells as a trace; nothing without a map.
function cellTrace(state, run, other) {
  const { statistic, flux, period, month } = state;
  if (!run.map || statistic === "none") return null;
  const about = run.fluxes.find((one) => one.name === flux);
  const minus = statistic === "difference";
  const of = minus ? "mean" : statistic;
  let values = cellValues(run, flux, of, period, month);
  if (minus) {
    const theirs = cellValues(other, flux, of, period, month);
    values = theirs.map((value, cell) => value - values[cell]);
  }
  const unit = statistic === "index" ? "" : unitText(about.unit);
  const whole = statistic === "index" || minus ? values : run.map.values[flux][of].values;
  const range = statistic === "index" ? { colorscale: "Cividis", zmin: 0, zmax: 1 } : colours(whole, minus || (of === "mean" && about.signed));
  const what = statistic === "index" ? "extrapolation index" : minus ? `${plain(other.run)} minus ${plain(run.run)}` : `${about.name.toUpperCase()}, ${STATISTICS[of]}`;
  return {
    type: "heatmap", x: run.map.lon, y: run.map.lat, z: grid(run.map, values), ...range, name: "cells",
    hovertemplate: `%{z:.3~g} ${unit}<br>%{y:.1f}°, %{x:.1f}°<extra></extra>`,
    colorbar: { orientation: "h", thickness: 12, len: 0.9, y: -0.02, yanchor: "top", title: { text: unit ? `${what} (${unit})` : what, side: "bottom" } },
  };
}

// Number of a tower by which it is coloured; NaN where it has none.
function towerValue(state, run, index) {
  const of = (key) => run.scores[key]?.[state.flux]?.[state.colour === "difference" ? "nse" : state.colour]?.[index];
  const own = of(state.method);
  if (state.colour !== "difference") return known(own) ? own : NaN;
  const theirs = run.scores[state.other]?.[state.flux]?.nse?.[index];
  return known(own) && known(theirs) ? theirs - own : NaN;
}

// Colour at a share (0 to 1) of a scale.
function between(scale, share) {
  const at = Math.min(Math.max(share, 0), 1);
  const place = Math.max(scale.findIndex(([stop]) => stop >= at), 1);
  const [[low, from], [high, to]] = [scale[place - 1], scale[place]];
  const part = (colour, byte) => parseInt(colour.slice(1 + 2 * byte, 3 + 2 * byte), 16);
  const mixed = [0, 1, 2].map((byte) => part(from, byte) + ((at - low) / (high - low)) * (part(to, byte) - part(from, byte)));
  return `rgb(${mixed.map(Math.round).join(",")})`;
}

function look(state, values) {
  const tested = (colour) => values.map((value) => (Number.isNaN(value) ? UNTESTED : colour(value)));
  if (state.colour === "nse")
    return {
      color: tested((value) => (value < 0 ? WORST : STEPS[Math.min(3, Math.floor(value * 4))])),
      symbol: values.map((value) => (value < 0 ? "triangle-down" : "circle")),
    };
  const signed = state.colour !== "rmse";
  const [high] = quantiles(values.map(Math.abs), [0.95]);
  const most = high || 1;
  return { color: tested((value) => (signed ? between(RED_BLUE, (value / most + 1) / 2) : between(SMALL_LARGE, value / most))), symbol: "circle" };
}

function towerTraces(state, run) {
  const towers = run.towers.map((tower, index) => ({ ...tower, index })).filter((tower) => known(tower.lat) && known(tower.lon));
  // those with scores last, so that they lie on top
  const values = new Map(towers.map((tower) => [tower.index, towerValue(state, run, tower.index)]));
  towers.sort((one, other) => Number.isFinite(values.get(one.index)) - Number.isFinite(values.get(other.index)));
  const shown = towers.map((tower) => values.get(tower.index));
  const text = (tower, value) => `${plain(tower.id)} ${plain(tower.igbp)}: ${Number.isFinite(value) ? number(value) : "not tested"}`;
  const chosen = run.towers[state.tower];
  return [
    {
      type: "scatter", mode: "markers", name: "towers", x: towers.map((t) => t.lon), y: towers.map((t) => t.lat),
      customdata: towers.map((t) => t.index), text: towers.map((t, place) => text(t, shown[place])), hovertemplate: "%{text}<extra></extra>",
      marker: { size: shown.map((value) => (Number.isFinite(value) ? 11 : 7)), line: { color: "#000", width: 1 }, ...look(state, shown) },
    },
    {
      type: "scatter", mode: "markers", name: "chosen", x: [chosen?.lon], y: [chosen?.lat], hoverinfo: "skip",
      marker: { size: 20, color: "rgba(0,0,0,0)", line: { color: "#cc79a7", width: 4 } },
    },
  ];
}

function drawMap(state, run, other) {
  const cells = cellTrace(state, run, other);
  const land = { type: "scatter", mode: "lines", ...outlines(run), line: { color: "#555", width: 0.7 }, hoverinfo: "skip", name: "land" };
  if (!cells) Object.assign(land, { fill: "toself", fillcolor: "#e8e6e1" });
  const element = document.getElementById("map");
  const height = Math.round(Math.min(element.clientWidth * 0.52, 560)) + (cells ? 88 : 36);
  const south = Math.min(-58, ...run.towers.map((tower) => (known(tower.lat) ? tower.lat - 2 : 0)));
  const layout = {
    width: element.clientWidth, height, margin: { l: 4, r: 4, t: 30, b: cells ? 58 : 4 }, showlegend: false, dragmode: "pan", hovermode: "closest", uirevision: "map",
    xaxis: { range: [-180, 180], visible: false }, yaxis: { range: [south, 84], visible: false },
    plot_bgcolor: "#fff", paper_bgcolor: "#fff", font: { size: 12 },
  };
  element.style.height = `${height}px`;
  return Plotly.react(element, [cells, land, ...towerTraces(state, run)].filter(Boolean), layout, SETTINGS);
}

// The tower nearest to a place, within so many degrees, among those in a direction from it where one is given.
function nearest(run, lat, lon, most = Infinity, direction = null) {
  let best = -1, least = most;
  run.towers.forEach((tower, index) => {
    if (!known(tower.lat) || !known(tower.lon)) return;
    const [dx, dy] = [tower.lon - lon, tower.lat - lat];
    let distance = Math.hypot(dx, dy);
    if (direction) {
      const along = dx * direction[0] + dy * direction[1];
      const across = Math.abs(dx * direction[1]) + Math.abs(dy * direction[0]);
      if (along <= 1e-9) return;
      distance = along + 2 * across; // rather straight ahead than near at the side, but no tower is out of reach
    }
    if (distance < least) [best, least] = [index, distance];
  });
  return best;
}
