/* The table of qjmap/ui/table.py. All text is set as textContent: nothing from data becomes HTML. */
const memory = new WeakMap();
const empty = (value) => value === null || value === undefined || value === "";

function format(column, value) {
  if (empty(value)) return "—";
  if (column.decimals === null) return String(value);
  const digits = { minimumFractionDigits: column.decimals, maximumFractionDigits: column.decimals };
  return Number(value).toLocaleString("zh-CN", digits);
}

function sorted(rows, { by, down }) {
  if (by === null) return rows;
  return rows.slice().sort((a, b) => {
    const x = a[by], y = b[by];
    if (empty(x) || empty(y)) return empty(x) - empty(y);
    const order = typeof x === "number" ? x - y : String(x).localeCompare(String(y), "zh-CN");
    return down ? -order : order;
  });
}

function element(tag, className, content) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (content !== undefined) node.textContent = content;
  return node;
}

function headCell(column, sort, redraw) {
  const th = element("th", column.decimals === null ? "text" : "");
  th.scope = "col";
  if (column.help) th.title = column.help;
  const button = element("button", "", column.label + (sort.by === column.key ? (sort.down ? " ↓" : " ↑") : ""));
  if (column.unit) button.append(element("small", "", column.unit));
  button.onclick = () => {
    sort.down = sort.by === column.key ? !sort.down : false;
    sort.by = column.key;
    redraw();
  };
  if (sort.by === column.key) th.setAttribute("aria-sort", sort.down ? "descending" : "ascending");
  th.append(button);
  return th;
}

function bodyCell(column, value) {
  const td = element("td", column.decimals === null ? "text" : "");
  td.dataset.label = column.label;
  if (!column.share || empty(value)) {
    td.textContent = format(column, value);
    return td;
  }
  const bar = element("span", "bar", format(column, value)), part = element("i");
  part.style.width = Math.max(0, Math.min(100, value)) + "%";
  bar.append(element("u"), part);
  td.append(bar);
  return td;
}

function onKey(event, tell) {
  const row = event.target.closest("tr"), rows = Array.from(row.parentElement.rows);
  if (event.key === "Enter" || event.key === " ") {
    event.preventDefault();
    tell("picked", row.dataset.key);
    return;
  }
  const at = rows.indexOf(row);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
  if (to === undefined || !rows[to]) return;
  event.preventDefault();
  row.tabIndex = -1;
  rows[to].tabIndex = 0;
  rows[to].focus();
}

export default function run(component) {
  const { data, parentElement, setTriggerValue } = component;
  const host = parentElement.querySelector(".box");
  if (!memory.has(host)) memory.set(host, { by: null, down: false });
  const sort = memory.get(host);
  if (!data.columns.some((column) => column.key === sort.by)) sort.by = null;
  host.style.setProperty("--box-height", data.height);
  host.setAttribute("aria-label", data.caption);
  host.classList.toggle("wordy", data.wordy);
  const table = element("table"), body = table.createTBody();
  table.createCaption().textContent = data.caption;
  table.createTHead().insertRow().append(...data.columns.map((column) => headCell(column, sort, () => run(component))));
  for (const row of sorted(data.rows, sort)) {
    const tr = body.insertRow();
    tr.dataset.key = row.key;
    tr.setAttribute("aria-selected", String(row.key === data.selected));
    tr.append(...data.columns.map((column) => bodyCell(column, row[column.key])));
    if (!data.pick) continue;
    tr.tabIndex = -1;
    tr.className = "pick";
    tr.onclick = (event) => {
      if (event.detail < 2) setTriggerValue("picked", row.key); /* a double click is one choice, not one and its opposite */
    };
  }
  if (data.pick) body.onkeydown = (event) => onKey(event, setTriggerValue);
  /* One tab stop for the table, as for a list: arrows walk through it, Enter chooses. */
  const first = body.querySelector("[aria-selected=true]") || body.rows[0];
  if (data.pick && first) first.tabIndex = 0;
  const top = host.scrollTop, held = host.getRootNode().activeElement;
  const key = held && held.closest("tr") && held.closest("tr").dataset.key;
  const head = held && held.closest("th") ? held.closest("th").cellIndex : -1;
  host.replaceChildren(table);
  host.scrollTop = top;
  /* What was in hand is in hand again, though every row is new. */
  if (head >= 0) table.tHead.rows[0].cells[head].firstChild.focus();
  else if (key) Array.from(body.rows).find((row) => row.dataset.key === key)?.focus();
}
