/* The single file's own part: a click opens a card, and everything on the map stands in tables below it too.
 * All text is set as textContent: nothing from data becomes HTML. */
(function () {
  "use strict";
  const { base, scene, more } = JSON.parse(document.getElementById("data").textContent);
  const say = (number) => more.texts[number];
  const STACK = 12;

  function element(tag, className, content, parent) {
    const node = document.createElement(tag);
    if (className) node.className = className;
    if (content !== undefined) node.textContent = content;
    if (parent) parent.append(node);
    return node;
  }

  function read([title, tags, pairs]) {
    const both = [];
    for (let i = 0; i < pairs.length; i += 2) both.push([say(pairs[i]), say(pairs[i + 1])]);
    return {
      title: say(title),
      tags: tags.map((n) => (n < 0 ? { text: say(-1 - n), demo: true } : { text: say(n), demo: false })),
      pairs: both,
    };
  }

  function card(spec, parent) {
    const one = read(spec), box = element("div", "card", undefined, parent);
    element("h3", "", one.title, box);
    for (const tag of one.tags) element("span", "tag" + (tag.demo ? " demo" : ""), tag.text, box);
    const list = element("dl", "", undefined, box);
    for (const [label, value] of one.pairs) {
      element("dt", "", label, list);
      element("dd", "", value, list);
    }
  }

  /* ---- the map ---- */

  const map = (window.map = L.map("map", { zoomControl: false, maxZoom: 18, zoomSnap: 0.25, zoomDelta: 0.5 }));
  map.setView(L.latLngBounds(base.bounds).getCenter(), 10);
  qjmap.base(map, base);
  const drawn = qjmap.scene(scene).addTo(map);
  const towns = new Map(more.towns.map((spec) => [say(spec[0]), spec]));

  function open(latlng, specs, rest) {
    const box = document.createElement("div");
    for (const spec of specs) card(spec, box);
    if (rest > 0) element("p", "", "此处另有 " + rest + " 条,见图下的表。", box);
    const popup = L.popup({ minWidth: 320, maxWidth: 420, maxHeight: Math.max(200, map.getSize().y - 140), offset: [0, -6] }).setLatLng(latlng).setContent(box).openOn(map);
    const close = popup.getElement().querySelector(".leaflet-popup-close-button");
    if (close) close.setAttribute("aria-label", "关闭");
  }

  function select(name) {
    map.qj.selected = name;
    map.qj.lines.redraw();
    if (drawn._shapes_.length) drawn._shapes.redraw();
    map.qj.names.redraw();
  }

  drawn.on("click", ({ latlng, hits, town }) => {
    if (hits.length) {
      const known = hits.map((hit) => more.layers[hit.layer.key].cards[hit.i]);
      open(latlng, known.slice(0, STACK), known.length - STACK);
    } else if (town && towns.has(town.name)) {
      select(town.name);
      open(latlng, [towns.get(town.name)], 0);
    }
  });

  /* ---- the tables ---- */

  function table(caption, cards, go) {
    const rows = cards.map(read), labels = [];
    for (const row of rows) for (const [label] of row.pairs) if (!labels.includes(label)) labels.push(label);
    const tagged = rows.some((row) => row.tags.length);
    const made = element("table");
    made.createCaption().textContent = caption + ";点名称在图上看";
    const head = made.createTHead().insertRow();
    for (const label of ["名称"].concat(tagged ? ["类别与状态"] : [], labels)) element("th", "", label, head).scope = "col";
    const body = made.createTBody();
    rows.forEach((row, i) => {
      const line = body.insertRow(), values = new Map(row.pairs), act = go(row, i);
      if (act) element("button", "", row.title, line.insertCell()).onclick = act;
      else line.insertCell().textContent = row.title;
      if (tagged) {
        const cell = line.insertCell();
        for (const tag of row.tags) element("span", "tag" + (tag.demo ? " demo" : ""), tag.text, cell);
      }
      for (const label of labels) {
        const cell = line.insertCell(), value = values.has(label) ? values.get(label) : "—";
        cell.textContent = value;
        if (value.length > 24) cell.className = "long";
      }
    });
    return made;
  }

  function show(latlng, zoom, specs) {
    document.getElementById("map").scrollIntoView({ block: "nearest" });
    map.setView(latlng, Math.max(map.getZoom(), zoom), { animate: false });
    open(latlng, specs, 0);
  }

  function offer(title, cards, go) {
    if (!cards.length) return;
    const part = element("details", "", undefined, document.getElementById("tables"));
    element("summary", "", title + " " + cards.length, part);
    /* Thousands of rows are made when somebody asks for them. */
    part.addEventListener("toggle", () => element("div", "box", undefined, part).append(table(title, cards, go)), { once: true });
  }

  offer("表:街镇", more.towns, (row) => {
    const place = map.qj.byName.get(row.title);
    return place && (() => {
      select(row.title);
      show(L.latLng(place.label[1], place.label[0]), 11, [towns.get(row.title)]);
    });
  });
  const placed = new Map(drawn._layers_.filter((layer) => layer.visible).map((layer) => [layer.key, layer.points]));
  const shapes = new Map(drawn._shapes_.map((layer) => [layer.key, layer.shapes]));
  const degrees = (x, y) => L.latLng((Math.atan(Math.sinh(Math.PI * (1 - 2 * y))) * 180) / Math.PI, x * 360 - 180);
  for (const [key, layer] of Object.entries(more.layers)) {
    offer("表:" + layer.label, layer.cards, (row, i) => {
      const points = placed.get(key), shape = shapes.has(key) ? shapes.get(key)[i] : null;
      if (shape && shape.box[0] < Infinity) return () => {
        document.getElementById("map").scrollIntoView({ block: "nearest" });
        const box = L.latLngBounds(degrees(shape.box[0], shape.box[1]), degrees(shape.box[2], shape.box[3]));
        map.fitBounds(box, { padding: [60, 60], maxZoom: 15, animate: false });
        open(box.getCenter(), [layer.cards[i]], 0);
      };
      return points && i < points.n && (() => show(L.latLng(points.lat[i], points.lon[i]), 13, [layer.cards[i]]));
    });
  }
})();
