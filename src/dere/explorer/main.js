// What is chosen, and how the parts follow it.
const at = (id) => document.getElementById(id);
const state = { flux: "", statistic: "mean", period: "month", month: 0, colour: "nse", method: "", other: "", tower: 0 };
let RUN = null, OTHER = null;

function options(id, pairs, value) {
  at(id).replaceChildren(...pairs.map(([key, text]) => new Option(text, key)));
  if (pairs.some(([key]) => key === value)) at(id).value = value;
}

function offer() {
  const flux = RUN.map?.values[state.flux];
  const comparable = OTHER?.map && RUN.map && sameGrid(RUN.map, OTHER.map);
  const there = { mean: flux, width: flux?.width, index: RUN.map?.index, none: true };
  const statistics = Object.entries(STATISTICS).filter(([name]) => there[name]);
  if (comparable) statistics.splice(-1, 0, ["difference", `${OTHER.run} minus ${RUN.run}`]);
  options("statistic", statistics, state.statistic);
  state.statistic = at("statistic").value;
  const methods = RUN.methods.map(({ key, label }) => [key, label]);
  const theirs = (OTHER?.methods || []).map(({ key, label }) => [`2:${key}`, `${OTHER.run}: ${label}`]);
  options("method", methods, state.method);
  options("other", [["", "nothing"], ...methods.filter(([key]) => key !== state.method), ...theirs], state.other);
  state.other = at("other").value;
  const own = state.other && !state.other.startsWith("2:");
  options("colour", [["nse", "NSE"], ["rmse", "RMSE"], ["bias", "bias"], ...(own ? [["difference", "difference of NSE"]] : [])], state.colour);
  state.colour = at("colour").value;
}

function words() {
  const flux = RUN.fluxes.find((one) => one.name === state.flux);
  const tower = RUN.towers[state.tower];
  const timed = ["mean", "width", "difference"].includes(state.statistic);
  at("period-box").hidden = !timed;
  at("month-box").hidden = !timed || state.period !== "month";
  at("month-name").textContent = RUN.map ? RUN.map.months[state.month] : "";
  at("month").setAttribute("aria-valuetext", at("month-name").textContent);
  const when = !timed ? "" : state.period === "month" ? `, ${RUN.map.months[state.month]}` : ", mean of all months";
  const what = { ...STATISTICS, difference: `${OTHER?.run} minus ${RUN.run}` }[state.statistic];
  const shown = { index: what, none: what }[state.statistic] || `${flux.name.toUpperCase()}: ${what}${when}`;
  at("map-title").textContent = shown[0].toUpperCase() + shown.slice(1);
  const label = member(state.method, RUN, OTHER).label;
  const unit = unitText(flux.unit);
  const others = state.other && member(state.other, RUN, OTHER).label;
  const steps = { nse: "NSE", rmse: `RMSE (${unit})`, bias: `bias (${unit})`, difference: `NSE of ${others} minus that` };
  legend();
  const coarse = RUN.map?.factor > 1 ? `Cells of ${RUN.map.degrees}°: means of ${RUN.map.factor} × ${RUN.map.factor} cells of the product by area of land; widths are means of widths, not the width of the mean. ` : "";
  const widths = state.statistic === "width" && state.period === "all" ? "Mean of the widths of single months, not the width of their mean. " : "";
  const left = RUN.left_out ? ` ${RUN.left_out} towers are left out for want of space.` : "";
  at("map-note").textContent = `${state.statistic === "none" ? "" : state.statistic === "index" ? "Of the product, by attributes of the cell: 0.5 is usual; 1 is farther from all towers than any tower is from the others. " : `Map of the product: ${flux.long_name}, per land area. `}${coarse}${widths}Towers by ${label}: ${steps[state.colour]}.${left} Click a tower, or use the arrow keys on the map.`;
  at("tower-title").textContent = tower ? tower.id : "No tower";
  const degrees = (value, letters) => `${number(Math.abs(value))}° ${letters[Number(value < 0)]}`;
  const place = tower && known(tower.lat) ? `${degrees(tower.lat, "NS")}, ${degrees(tower.lon, "EW")}` : "place unknown";
  at("tower-about").textContent = tower ? `${[tower.igbp, tower.koppen, place, tower.role].filter(Boolean).join(" · ")}${tower.why ? `: ${tower.why}` : ""}` : "";
  const missing = OTHER && state.other.startsWith("2:") && tower && !OTHER.place.has(tower.id) ? ` ${OTHER.run} has no tower ${tower.id}.` : "";
  const seen = tower?.role === "seen in training" ? "The months of this tower were in the training: its predictions are no test. " : "";
  const some = RUN.all_intervals ? "" : " Only the method that is given away has its interval here.";
  at("series-note").textContent = `${seen}Bands: 90 % intervals. Other methods: click their names in the legend.${some}${missing}`;
}

function legend() {
  const swatches = {
    nse: [[WORST, "below 0 (▼)"], [STEPS[0], "0–0.25"], [STEPS[1], "0.25–0.5"], [STEPS[2], "0.5–0.75"], [STEPS[3], "above 0.75"]],
    rmse: [["#440154", "small"], ["#fde725", "large"]],
    bias: [["#053061", "too little"], ["#f7f7f7", "none"], ["#67001f", "too much"]],
    difference: [["#053061", "worse"], ["#f7f7f7", "equal"], ["#67001f", "better"]],
  };
  const all = [...swatches[state.colour], [UNTESTED, "small: not tested"]];
  at("map-legend").replaceChildren(
    ...all.map(([colour, text]) => {
      const entry = document.createElement("span");
      const dot = document.createElement("i");
      dot.style.background = colour;
      entry.append(dot, text);
      return entry;
    }),
  );
}

const drawn = { map: Promise.resolve(), series: Promise.resolve() };
function draw(parts = ["map", "tower"]) {
  words();
  if (parts.includes("map")) drawn.map = drawMap(state, RUN, OTHER);
  if (!parts.includes("tower")) return;
  at("tower").value = String(state.tower);
  drawn.series = drawSeries(state, RUN, OTHER);
  if (RUN.towers.length) drawScores(state, RUN, OTHER), drawNeighbours(state, RUN, go);
}

function go(index) {
  if (!RUN.towers[index]) return;
  state.tower = index;
  history.replaceState(null, "", `#${encodeURIComponent(RUN.towers[index].id)}`);
  draw();
}

function fromAddress() {
  try {
    return RUN.place.get(decodeURIComponent(location.hash.slice(1)));
  } catch {
    return undefined;
  }
}

async function compareWith(file) {
  at("trouble").hidden = true;
  try {
    const tree = treeOf(await file.text());
    const reason = refused(RUN, tree);
    if (reason) throw new Error(reason);
    // two runs of one name are told apart
    OTHER = await opened(tree.run === RUN.run ? { ...tree, run: `${tree.run} (2)` } : tree);
    state.other = OTHER.methods.some(({ key }) => key === state.method) ? `2:${state.method}` : `2:${OTHER.given}`;
  } catch (error) {
    OTHER = null;
    state.other = "";
    at("trouble").textContent = `${file.name} ${error.message}`;
    at("trouble").hidden = false;
  }
  offer();
  draw();
}

const DIRECTIONS = { ArrowUp: [0, 1], ArrowDown: [0, -1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };
function listen() {
  at("controls").addEventListener("submit", (event) => event.preventDefault());
  for (const name of ["flux", "statistic", "period", "colour", "method", "other"])
    at(name).addEventListener("change", () => {
      state[name] = at(name).value;
      if (name === "other" && state.other && !state.other.startsWith("2:")) state.colour = "difference";
      offer();
      draw(["flux", "statistic", "period", "colour"].includes(name) ? ["map"] : undefined);
    });
  at("month").addEventListener("input", () => ((state.month = Number(at("month").value)), draw(["map"])));
  at("run").addEventListener("change", () => at("run").files[0] && compareWith(at("run").files[0]));
  at("tower").addEventListener("change", () => go(Number(at("tower").value)));
  const count = RUN.towers.length;
  at("before").addEventListener("click", () => go((state.tower + count - 1) % count));
  at("after").addEventListener("click", () => go((state.tower + 1) % count));
  at("map").addEventListener("keydown", (event) => {
    const direction = DIRECTIONS[event.key];
    const tower = RUN.towers[state.tower];
    if (!direction || !tower) return;
    event.preventDefault();
    go(nearest(RUN, tower.lat ?? 0, tower.lon ?? 0, Infinity, direction));
  });
  at("map").on("plotly_click", ({ points }) => {
    const tower = points.find((point) => point.data.name === "towers");
    go(tower ? tower.customdata : nearest(RUN, points[0].y, points[0].x, 4));
  });
  let resized;
  window.addEventListener("resize", () => {
    clearTimeout(resized);
    resized = setTimeout(draw, 150);
  });
  window.addEventListener("hashchange", () => go(fromAddress()));
}

async function start() {
  RUN = await opened(JSON.parse(at("data").textContent));
  state.flux = RUN.fluxes[0].name;
  state.method = RUN.methods.some(({ key }) => key === RUN.given) ? RUN.given : RUN.methods[0]?.key || "";
  state.tower = fromAddress() ?? 0;
  state.statistic = RUN.map ? "mean" : "none";
  at("month").max = String((RUN.map?.months.length || 1) - 1);
  state.month = Math.min(6, Number(at("month").max));
  at("month").value = String(state.month);
  options("flux", RUN.fluxes.map((flux) => [flux.name, `${flux.name.toUpperCase()}: ${flux.long_name}`]), state.flux);
  const roles = [...new Set(RUN.towers.map((tower) => tower.role))];
  at("tower").replaceChildren(
    ...roles.map((role) => {
      const group = document.createElement("optgroup");
      group.label = role || "role unknown";
      RUN.towers.forEach((tower, index) => tower.role === role && group.append(new Option(`${tower.id} ${tower.igbp}`, String(index))));
      return group;
    }),
  );
  offer();
  draw();
  listen();
  await Promise.all([drawn.map, drawn.series]);
  document.documentElement.dataset.ready = String(Math.round(performance.now()));
}

start().catch((error) => {
  at("trouble").textContent = `The explorer cannot start (${error.message}); it needs a browser of 2023 or later.`;
  at("trouble").hidden = false;
  throw error;
});
