// Tables of a tower: its scores, and its neighbours.
const SCORES = { nse: "NSE", rmse: "RMSE", bias: "bias" };

function tableOf(heads, rows) {
  const table = document.createElement("table");
  const head = table.createTHead().insertRow();
  for (const text of heads) {
    const cell = document.createElement("th");
    cell.scope = "col";
    cell.textContent = text;
    head.append(cell);
  }
  const body = table.createTBody();
  for (const { cells, strong } of rows) {
    const row = body.insertRow();
    if (strong) row.className = "strong";
    for (const value of cells) {
      const cell = row.insertCell();
      if (value instanceof Node) cell.append(value);
      else {
        cell.textContent = value;
        if (/^[-–\d.]+$/.test(value)) cell.className = "number";
      }
    }
  }
  return table;
}

function drawScores(state, run, other) {
  const tower = run.towers[state.tower];
  const heads = ["method", ...run.fluxes.flatMap((flux) => Object.entries(SCORES).map(([score, name]) => `${flux.name.toUpperCase()} ${name}`))];
  const rows = (of, prefix) =>
    of.methods.flatMap(({ key, label }) => {
      const index = of.place.get(tower.id);
      const value = (flux, score) => of.scores[key]?.[flux.name]?.[score]?.[index];
      if (index === undefined || !of.fluxes.some((flux) => known(value(flux, "nse")))) return [];
      const numbers = of.fluxes.flatMap((flux) => Object.keys(SCORES).map((score) => number(value(flux, score))));
      return [{ cells: [prefix ? `${of.run}: ${label}` : label, ...numbers], strong: [state.method, state.other].includes(prefix + key) }];
    });
  const all = tower ? [...rows(run, ""), ...(other ? rows(other, "2:") : [])] : [];
  const units = run.fluxes.map((flux) => `${flux.name.toUpperCase()} in ${unitText(flux.unit)}`);
  const note = new Set(run.fluxes.map((flux) => flux.unit)).size > 1 ? units.join(", ") : unitText(run.fluxes[0].unit);
  document.getElementById("scores-note").textContent = `Months of good quality that no fit of the method has seen; RMSE and bias (predicted minus observed): ${note}.`;
  const element = document.getElementById("scores");
  element.replaceChildren(all.length ? tableOf(heads, all) : `No scores: this is no ${run.tested} (${tower?.role || "role unknown"}); its predictions are fitted to its own months or have nothing to be compared with.`);
}

function drawNeighbours(state, run, go) {
  const box = document.getElementById("neighbours-box");
  const rows = run.neighbours[run.towers[state.tower]?.id] || [];
  box.hidden = !Object.keys(run.neighbours).length;
  const link = (name) => {
    const index = run.place.get(name);
    if (index === undefined) return name;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = name;
    button.addEventListener("click", () => go(index));
    return button;
  };
  const heads = ["method", "why it was retrieved", "of", "neighbour", "distance (km)", "weight (1)"];
  const cells = rows.map(([method, role, source, name, km, weight]) => ({ cells: [run.method_labels[method] || method, role, source, source === "towers" ? link(name) : name, number(km, 0), number(weight, 3)] }));
  document.getElementById("neighbours").replaceChildren(rows.length ? tableOf(heads, cells) : "None is recorded for this tower.");
}
