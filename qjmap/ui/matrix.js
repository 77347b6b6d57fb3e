/* The matrix of qjmap/ui/matrix.py. All text is set as textContent: nothing from data becomes HTML.
 * One tab stop: arrows move among heads and cells, Enter or Space opens, as in a spreadsheet. */
const memory = new WeakMap();

function element(tag, className, content) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (content !== undefined) node.textContent = content;
  return node;
}

function tile(sign, glyph, corners) {
  const node = element("span", "tile " + sign, glyph);
  for (const corner of corners ? corners.split(" ") : []) node.append(element("i", corner));
  return node;
}

function legend(box, data) {
  const entries = Object.entries(data.signs).map(([key, sign]) => {
    const item = element("span", "item");
    item.append(tile(key, sign.glyph), sign.label);
    return item;
  });
  for (const [corner, label] of Object.entries(data.corners)) {
    const item = element("span", "item");
    item.append(tile("sample", "", corner), label);
    entries.push(item);
  }
  box.replaceChildren(...entries);
}

function columnHead(column) {
  const th = element("th", column.apart ? "town apart" : "town");
  th.scope = "col";
  th.append(element("b", "", column.label), element("small", "", column.count));
  th.setAttribute("aria-label", column.label + (column.count ? ",短缺" + column.count + "条" : ""));
  return th;
}

function rowHead(row) {
  const th = element("th", "rule");
  th.scope = "row";
  const title = element("b", "", row.title);
  if (row.tag) title.prepend(element("em", "", row.tag));
  th.append(title);
  if (row.sub) th.append(element("small", "", row.sub));
  th.title = row.help;
  return th;
}

function bodyCell(cell, row, column, data) {
  const td = element("td", column.apart ? "apart" : "");
  td.setAttribute("role", "gridcell");
  if (!cell) return td;
  const [sign, text, corners] = cell, meaning = data.signs[sign];
  const marks = corners ? corners.split(" ").map((one) => data.corners[one]) : [];
  const said = [meaning.label, text, ...marks].filter(Boolean).join(",");
  td.setAttribute("aria-label", column.label + "," + row.title + ":" + said);
  td.title = column.label + "\n" + row.title + "\n" + said;
  td.append(tile(sign, meaning.glyph, corners));
  return td;
}

/* What a row says across the columns for which it has no cells. */
function spanCell(row, columns) {
  const td = element("td", "span apart");
  td.colSpan = columns;
  td.setAttribute("role", "gridcell");
  td.append(element("span", "", row.span || "—"));
  return td;
}

/* The table, and its cells as lists of rows: the heads first, then every rule. */
function build(data) {
  const table = element("table");
  table.setAttribute("role", "grid");
  table.setAttribute("aria-label", data.caption);
  const head = table.createTHead().insertRow(), corner = element("th", "rule corner", data.corner);
  corner.scope = "col";
  const heads = data.columns.map(columnHead);
  head.append(corner, ...heads);
  const grid = [[null, ...heads]], keys = [{ row: null }];
  for (const group of data.groups) {
    const body = table.createTBody(), heading = element("th", "group");
    heading.colSpan = data.columns.length + 1;
    heading.scope = "rowgroup";
    heading.append(element("span", "", group.title));
    body.insertRow().append(heading);
    for (const row of group.rows) {
      const cells = [rowHead(row), ...row.cells.map((cell, i) => bodyCell(cell, row, data.columns[i], data))];
      const rest = data.columns.length - row.cells.length;
      if (rest > 0) cells.push(spanCell(row, rest));
      body.insertRow().append(...cells);
      grid.push(cells);
      keys.push({ row: row.key });
    }
  }
  return { table, grid, keys };
}

function select(state, data) {
  const { row, column } = data.selected;
  const c = data.columns.findIndex((one) => one.key === column) + 1;
  state.grid.forEach((cells, r) => {
    const here = row !== null && state.keys[r].row === row;
    cells.forEach((cell, i) => {
      if (!cell) return;
      const inColumn = c > 0 && i === c;
      cell.classList.toggle("cross", (here && r > 0) || (inColumn && r === 0));
      if (cell.tagName === "TD") cell.setAttribute("aria-selected", String(here && inColumn));
    });
  });
}

function activate(state, r, c, focus) {
  const cell = state.grid[r] && state.grid[r][c];
  if (!cell) return;
  const old = state.grid[state.at[0]] && state.grid[state.at[0]][state.at[1]];
  if (old) old.tabIndex = -1;
  state.at = [r, c];
  cell.tabIndex = 0;
  if (focus) {
    cell.focus({ preventScroll: true });
    reveal(state.host, cell, c);
  }
}

/* Scroll so that a cell is not under the sticky head or the sticky first column. */
function reveal(host, cell, c) {
  const box = host.getBoundingClientRect(), one = cell.getBoundingClientRect();
  const head = host.querySelector("thead th").getBoundingClientRect();
  if (cell.closest("tbody")) {
    if (one.top < box.top + head.height) host.scrollTop -= box.top + head.height - one.top;
    else if (one.bottom > box.bottom - 14) host.scrollTop += one.bottom - box.bottom + 14;
  }
  if (c === 0) return;
  if (one.left < box.left + head.width) host.scrollLeft -= box.left + head.width - one.left;
  else if (one.right > box.right - 14) host.scrollLeft += one.right - box.right + 14;
}

const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], PageUp: [-10, 0], PageDown: [10, 0] };

function onKey(state, event) {
  const [r, c] = state.at, rows = state.grid.length;
  const clamp = (value, most) => Math.max(0, Math.min(most - 1, value));
  if (MOVES[event.key]) {
    const [dr, dc] = MOVES[event.key], row = clamp(r + dr, rows), wanted = dc ? c + dc : Math.max(c, state.wanted);
    if (dc) state.wanted = 0; /* down through a row of fewer cells and on: back to the column one came from */
    const column = Math.min(Math.max(wanted, 0), state.grid[row].length - 1);
    if (dr) state.wanted = wanted;
    activate(state, row, row === 0 && column === 0 ? 1 : column, true);
  } else if (event.key === "Home" || event.key === "End") {
    const last = event.key === "End";
    const row = event.ctrlKey ? (last ? rows - 1 : 1) : r;
    state.wanted = 0;
    activate(state, row, last ? state.grid[row].length - 1 : row === 0 ? 1 : 0, true);
  } else if (event.key === "Enter" || event.key === " ") state.pick(r, c);
  else return;
  event.preventDefault();
}

function place(state, target) {
  const cell = target.closest("th.town, th.rule, td");
  if (!cell) return null;
  for (let r = 0; r < state.grid.length; r++) {
    const c = state.grid[r].indexOf(cell);
    if (c >= 0) return [r, c];
  }
  return null;
}

export default function run(component) {
  const { data, parentElement, setTriggerValue } = component;
  const host = parentElement.querySelector(".box");
  host.style.setProperty("--box-height", data.height);
  host.setAttribute("aria-label", data.caption);
  const content = JSON.stringify([data.columns, data.groups, data.signs, data.corners]);
  let state = memory.get(host);
  if (!state || state.content !== content) {
    const before = state && { cell: state.at, top: host.scrollTop, left: host.scrollLeft, focused: state.table.contains(host.getRootNode().activeElement) };
    legend(parentElement.querySelector(".legend"), data);
    state = { host, content, ...build(data), at: [1, 1], wanted: 0 };
    memory.set(host, state);
    for (const cells of state.grid) for (const cell of cells) if (cell) cell.tabIndex = -1;
    host.replaceChildren(state.table);
    const chosen = state.keys.findIndex((one) => one.row !== null && one.row === data.selected.row);
    if (!before && chosen > 0) reveal(host, state.grid[chosen][0], 0);
    if (before) {
      host.scrollTop = before.top;
      host.scrollLeft = before.left;
    }
    const [r, c] = before ? before.cell : [1, 1], row = Math.min(r, state.grid.length - 1);
    activate(state, row, Math.min(c, state.grid[row].length - 1), Boolean(before && before.focused));
    state.table.addEventListener("keydown", (event) => onKey(memory.get(host), event));
    state.table.addEventListener("click", (event) => {
      if (event.detail > 1) return; /* the second half of a double click, which would close what the first opened */
      const now = memory.get(host), at = place(now, event.target);
      if (!at) return;
      activate(now, ...at, false);
      now.pick(...at);
    });
  }
  state.pick = (r, c) => {
    const across = state.grid[r][c].classList.contains("span");
    const row = state.keys[r].row, column = c > 0 && !across ? data.columns[c - 1].key : null;
    if (row !== null || column !== null) setTriggerValue("picked", { row, column });
  };
  select(state, data);
}
