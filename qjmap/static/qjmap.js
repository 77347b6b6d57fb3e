/* qjmap.js: what Leaflet does not draw fast enough, or at all, for this map.
 *
 * Three canvases over one another: the ground (townships), the areas (covered, possible, not covered, as unions of
 * circles in metres, sharp at every zoom), the marks (any number of facilities), and above them lines and names that
 * do not collide. The server sends points and radii once; nothing is tiled, fetched or computed elsewhere.
 *
 * Every text is drawn on a canvas or set as textContent: no HTML is ever made of data.
 */
(function () {
  "use strict";
  if (window.qjmap) return;

  const EQUATOR_M = 2 * Math.PI * 6378137;
  const FONT = '"Noto Sans SC", "Noto Sans CJK SC", "Microsoft YaHei", "PingFang SC", "Hiragino Sans GB", sans-serif';
  const HIT_PX = 12;
  const LEAST_ZOOM = 8, MOST_ZOOM = 18;

  /* ---- projection: Web Mercator in units of the world's width, so that a zoom is one multiplication ---- */

  const mercatorX = (lon) => (lon + 180) / 360;
  const mercatorY = (lat) => {
    const s = Math.sin((lat * Math.PI) / 180);
    return 0.5 - Math.log((1 + s) / (1 - s)) / (4 * Math.PI);
  };

  function decodePoints(base64) {
    const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
    const raw = new Int32Array(bytes.buffer);
    const n = raw.length / 2;
    const points = { n, lon: new Float64Array(n), lat: new Float64Array(n), x: new Float64Array(n),
                     y: new Float64Array(n), perMetre: new Float64Array(n) };
    for (let i = 0; i < n; i++) {
      const lon = raw[2 * i] / 1e5, lat = raw[2 * i + 1] / 1e5;
      points.lon[i] = lon;
      points.lat[i] = lat;
      points.x[i] = mercatorX(lon);
      points.y[i] = mercatorY(lat);
      points.perMetre[i] = 1 / (EQUATOR_M * Math.cos((lat * Math.PI) / 180));
    }
    return points;
  }

  function decodeInts(base64) {
    return new Int32Array(Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)).buffer);
  }

  function decodeBytes(base64, n) {
    return base64 ? Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)) : new Uint8Array(n);
  }

  function decodeFloats(base64) {
    return new Float32Array(Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)).buffer);
  }

  /* ---- a canvas that Leaflet pans and zooms; `draw(ctx, view)` works in layer points ---- */

  const Canvas = L.Renderer.extend({
    options: { padding: 0.25 },
    initialize: function (draw, options) {
      L.Renderer.prototype.initialize.call(this, options);
      this._draw = draw;
    },
    _initContainer: function () {
      this._container = document.createElement("canvas");
      this._container.style.pointerEvents = "none";
      this._container.setAttribute("aria-hidden", "true");
      this._ctx = this._container.getContext("2d");
    },
    _destroyContainer: function () {
      this._container.remove();
      this._container = null;
    },
    _update: function () {
      if (this._map._animatingZoom && this._bounds) return;
      L.Renderer.prototype._update.call(this);
      const b = this._bounds, size = b.getSize(), ratio = window.devicePixelRatio || 1, c = this._container;
      L.DomUtil.setPosition(c, b.min);
      c.width = Math.round(size.x * ratio);
      c.height = Math.round(size.y * ratio);
      c.style.width = size.x + "px";
      c.style.height = size.y + "px";
      const origin = this._map.getPixelOrigin();
      const world = 256 * Math.pow(2, this._map.getZoom());
      const view = {
        world, ox: origin.x, oy: origin.y, min: b.min, max: b.max, size, ratio,
        zoom: this._map.getZoom(),
        transform: (g) => g.setTransform(ratio, 0, 0, ratio, -b.min.x * ratio, -b.min.y * ratio),
      };
      view.transform(this._ctx);
      this._draw(this._ctx, view);
      this.fire("update");
    },
    redraw: function () {
      if (this._map) this._update();
    },
  });

  function pane(map, name, z) {
    if (!map.getPane(name)) {
      map.createPane(name).style.zIndex = z;
      map.getPane(name).style.pointerEvents = "none";
    }
    return name;
  }

  /* ---- polygons ---- */

  function projectGeometry(geometry) {
    const polygons = geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates;
    return polygons.map((rings) =>
      rings.map((ring) => {
        const flat = new Float64Array(ring.length * 2);
        ring.forEach(([lon, lat], i) => {
          flat[2 * i] = mercatorX(lon);
          flat[2 * i + 1] = mercatorY(lat);
        });
        return flat;
      })
    );
  }

  function tracePath(g, polygons, view) {
    for (const rings of polygons)
      for (const ring of rings) {
        for (let i = 0; i < ring.length; i += 2) {
          const x = ring[i] * view.world - view.ox, y = ring[i + 1] * view.world - view.oy;
          if (i === 0) g.moveTo(x, y);
          else g.lineTo(x, y);
        }
        g.closePath();
      }
  }

  function contains(polygons, x, y) {
    let inside = false;
    for (const rings of polygons)
      for (const ring of rings)
        for (let i = 0, j = ring.length - 2; i < ring.length; j = i, i += 2) {
          const yi = ring[i + 1], yj = ring[j + 1];
          if (yi > y !== yj > y && x < ((ring[j] - ring[i]) * (y - yi)) / (yj - yi) + ring[i]) inside = !inside;
        }
    return inside;
  }

  function stripes(colour, background, gap, width) {
    const tile = document.createElement("canvas");
    tile.width = tile.height = gap;
    const g = tile.getContext("2d");
    if (background) {
      g.fillStyle = background;
      g.fillRect(0, 0, gap, gap);
    }
    g.strokeStyle = colour;
    g.lineWidth = width;
    g.beginPath();
    for (const k of [-gap, 0, gap]) {
      g.moveTo(k, gap);
      g.lineTo(k + gap, 0);
    }
    g.stroke();
    return tile;
  }

  /* ---- the view (centre, zoom), kept in the address of the page around the map ---- */

  /** The page around this one, when there is one that may be spoken to. */
  function pageAround() {
    try {
      return window.parent !== window && typeof window.parent.location.search === "string" ? window.parent : null;
    } catch (refused) {
      return null;
    }
  }

  const viewOf = (map) => ({ centre: map.getCenter(), zoom: map.getZoom() });

  function readView(words, limits) {
    const parts = (words || "").split(",");
    if (parts.length !== 3 || !parts.every((part) => /^\d{1,3}(\.\d{1,8})?$/.test(part))) return null;
    const [lat, lon, zoom] = parts.map(Number);
    const there = lat <= 90 && lon <= 180 && limits.contains([lat, lon]) && zoom >= LEAST_ZOOM && zoom <= MOST_ZOOM;
    return there ? { centre: L.latLng(lat, lon), zoom } : null;
  }

  /* Read the view from `view=lat,lon,zoom`; then keep that parameter equal to what the map shows, and out of the address
   * while the map shows what it would show without it. Streamlit writes the address anew from what it knows, which is not
   * the view, so what stands there is looked at again and again, and changed only when it is wrong. */
  function keepView(map, limits) {
    map.qj.homeView = viewOf(map);
    const page = pageAround();
    if (!page) return;
    const path = page.location.pathname;
    const asked = readView(new URLSearchParams(page.location.search).get("view"), limits);
    if (asked) map.setView(asked.centre, asked.zoom, { animate: false });
    map.qj.asked = Boolean(asked);
    const still = (rest) =>
      rest && rest.zoom === map.getZoom() &&
      map.project(rest.centre, rest.zoom).distanceTo(map.project(map.getCenter(), rest.zoom)) < 2;
    const words = () => {
      if (still(map.qj.focus ? map.qj.focusView : map.qj.homeView)) return null;
      const { lat, lng } = map.getCenter();
      return lat.toFixed(5) + "," + lng.toFixed(5) + "," + Number(map.getZoom().toFixed(2));
    };
    setInterval(() => {
      const place = page.location, now = words();
      /* Another page, which has a map of its own: this one is about to go. Moving: wait. */
      if (place.pathname !== path || !map.qj.ready || map._animatingZoom || (map.dragging && map.dragging.moving())) return;
      if (new URLSearchParams(place.search).get("view") === now) return;
      const kept = place.search.replace(/^\?/, "").split("&").filter((part) => part && !/^view(=|$)/.test(part));
      const search = kept.concat(now === null ? [] : ["view=" + now]).join("&");
      page.history.replaceState(page.history.state, "", place.pathname + (search ? "?" + search : "") + place.hash);
    }, 300);
  }

  /* ---- the ground: townships, seats, names ---- */

  /** Say to those who do not see the map what it is, and where the same can be read. */
  function describe(map, words) {
    const box = map.getContainer();
    box.setAttribute("role", "application");
    box.setAttribute("aria-label", words);
    try {
      if (window.frameElement) window.frameElement.setAttribute("aria-label", words);
    } catch {
      /* a frame of another origin keeps its own name */
    }
  }

  function base(map, spec) {
    const palette = spec.palette;
    const towns = spec.towns.map((t) => ({
      name: t.name, polygons: projectGeometry(t.geometry), context: Boolean(t.context), label: t.label, seat: t.seat,
    }));
    map.qj = { towns, palette, byName: new Map(towns.map((t) => [t.name, t])), selected: null };
    describe(map, spec.attribution + "。方向键移动,加减键缩放。图上的内容在旁边的表格中都能读到。");
    map.attributionControl.setPrefix(false);
    map.attributionControl.addAttribution(spec.attribution);
    L.control.scale({ imperial: false, maxWidth: 140, position: "bottomright" }).addTo(map);
    L.control.zoom({ zoomInTitle: "放大", zoomOutTitle: "缩小", position: "topleft" }).addTo(map);
    const home = L.latLngBounds(spec.bounds);
    map.setMinZoom(LEAST_ZOOM);
    map.setMaxZoom(MOST_ZOOM);
    map.setMaxBounds(home.pad(0.6));
    map.fitBounds(home, { padding: [12, 12], animate: false });
    const home_control = L.control({ position: "topleft" });
    home_control.onAdd = () => {
      const bar = L.DomUtil.create("div", "leaflet-bar");
      const link = L.DomUtil.create("a", "qj-home", bar);
      link.href = "#";
      link.title = "全区";
      link.setAttribute("role", "button");
      link.textContent = "全";
      L.DomEvent.on(link, "click", (e) => {
        L.DomEvent.stop(e);
        map.fitBounds(home, { padding: [12, 12] });
      });
      return bar;
    };
    home_control.addTo(map);
    keepView(map, home.pad(0.6));

    new Canvas((g, view) => {
      const hatch = g.createPattern(stripes(palette.line, palette.context, 8, 1), "repeat");
      for (const town of towns) {
        g.beginPath();
        tracePath(g, town.polygons, view);
        g.fillStyle = town.context ? hatch : palette.ground;
        g.fill("evenodd");
      }
    }, { pane: pane(map, "qj-ground", 350) }).addTo(map);

    map.qj.lines = new Canvas((g, view) => drawLines(g, view, map), { pane: pane(map, "qj-lines", 420) }).addTo(map);
    map.qj.names = new Canvas((g, view) => drawNames(g, view, map), { pane: pane(map, "qj-names", 460) }).addTo(map);
  }

  function drawLines(g, view, map) {
    const { towns, palette } = map.qj;
    g.lineJoin = "round";
    for (const town of towns) {
      g.beginPath();
      tracePath(g, town.polygons, view);
      g.strokeStyle = palette.line;
      g.lineWidth = 1;
      g.stroke();
    }
    drawSelected(g, view, map);
    for (const town of towns) {
      if (!town.seat) continue;
      const x = mercatorX(town.seat[0]) * view.world - view.ox, y = mercatorY(town.seat[1]) * view.world - view.oy;
      g.fillStyle = palette.ink;
      g.strokeStyle = "#fff";
      g.lineWidth = 1.5;
      g.beginPath();
      g.rect(x - 2.5, y - 2.5, 5, 5);
      g.stroke();
      g.fill();
    }
  }

  function drawSelected(g, view, map) {
    const chosen = map.qj.byName.get(map.qj.selected);
    if (!chosen) return;
    g.beginPath();
    tracePath(g, chosen.polygons, view);
    g.strokeStyle = map.qj.palette.accent;
    g.lineWidth = 2.5;
    g.stroke();
  }

  function drawNames(g, view, map) {
    const { towns, palette, selected } = map.qj;
    const chosen = map.qj.byName.get(selected);
    g.lineJoin = "round";
    const taken = [];
    const marks = (map.qj.obstacles || []).map(([mx, my, half]) => {
      const x = mx * view.world - view.ox, y = my * view.world - view.oy;
      return [x - half, y - half, x + half, y + half];
    });
    const free = (box, others) => !others.some((t) => box[0] < t[2] && box[2] > t[0] && box[1] < t[3] && box[3] > t[1]);
    const size = view.zoom >= 12 ? 16 : view.zoom >= 11 ? 15 : 13;
    const order = towns.slice().sort((a, b) => (b === chosen) - (a === chosen) || a.context - b.context);
    g.textAlign = "center";
    g.textBaseline = "middle";
    for (const town of order) {
      const x0 = mercatorX(town.label[0]) * view.world - view.ox, y0 = mercatorY(town.label[1]) * view.world - view.oy;
      g.font = (town === chosen ? "700 " : "500 ") + size + "px " + FONT;
      const w = g.measureText(town.name).width + 6, h = size + 6;
      const boxes = [[0, 0], [0, h], [0, -h], [w * 0.5, 0], [-w * 0.5, 0], [w * 0.5, h], [-w * 0.5, h], [0, 1.6 * h], [0, -1.6 * h]]
        .map(([dx, dy]) => [x0 + dx - w / 2, y0 + dy - h / 2, x0 + dx + w / 2, y0 + dy + h / 2])
        .filter((box) => free(box, taken));
      /* Rather beside a mark than over it; rather over a mark than not at all; never over another name. */
      const box = boxes.find((one) => free(one, marks)) || boxes[0];
      if (box) {
        const x = (box[0] + box[2]) / 2, y = (box[1] + box[3]) / 2;
        taken.push(box);
        g.lineWidth = 4;
        g.strokeStyle = "rgba(255,255,255,.92)";
        g.strokeText(town.name, x, y);
        g.fillStyle = town.context ? palette.muted : palette.ink;
        g.fillText(town.name, x, y);
      }
    }
  }

  /* ---- coverage: unions of discs ---- */

  /** Fill every disc of `points` opaque, so that overlaps merge. `metres(i)` is the radius at the place. */
  function fillDiscs(g, view, points, metres) {
    const seen = new Set();
    let sprite = null, spriteRadius = -1;
    const w = Math.ceil(view.size.x) + 4096;
    g.fillStyle = "#000";
    for (let i = 0; i < points.n; i++) {
      const m = metres(i);
      if (!(m > 0)) continue;
      const r = m * points.perMetre[i] * view.world;
      const x = points.x[i] * view.world - view.ox, y = points.y[i] * view.world - view.oy;
      if (x + r < view.min.x || x - r > view.max.x || y + r < view.min.y || y - r > view.max.y) continue;
      if (r > 60) {
        g.beginPath();
        g.arc(x, y, r, 0, 2 * Math.PI);
        g.fill();
        continue;
      }
      /* Discs that fall on the same half pixel at this zoom look the same: draw one of them. */
      const rounded = Math.round(r * 2) / 2;
      const key = (Math.round((x - view.min.x) * 2) + w * Math.round((y - view.min.y) * 2)) * 128 + rounded * 2;
      if (seen.has(key)) continue;
      seen.add(key);
      if (Math.abs(rounded - spriteRadius) > 0.01) {
        spriteRadius = rounded;
        sprite = discSprite(Math.max(rounded, 0.75), view.ratio);
      }
      g.drawImage(sprite.canvas, x - sprite.half, y - sprite.half, 2 * sprite.half, 2 * sprite.half);
    }
  }

  function discSprite(radius, ratio) {
    const half = Math.ceil(radius) + 1;
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = Math.ceil(2 * half * ratio);
    const g = canvas.getContext("2d");
    g.scale(ratio, ratio);
    g.beginPath();
    g.arc(half, half, radius, 0, 2 * Math.PI);
    g.fill();
    return { canvas, half };
  }

  function scratch(view) {
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(view.size.x * view.ratio);
    canvas.height = Math.round(view.size.y * view.ratio);
    const g = canvas.getContext("2d");
    return {
      g,
      begin: () => {
        g.setTransform(1, 0, 0, 1, 0, 0);
        g.globalCompositeOperation = "source-over";
        g.clearRect(0, 0, canvas.width, canvas.height);
        view.transform(g);
      },
      /* Give the mask its colour and lay it on `target`. */
      paint: (target, fill) => {
        g.setTransform(1, 0, 0, 1, 0, 0);
        g.globalCompositeOperation = "source-in";
        g.fillStyle = fill;
        g.fillRect(0, 0, canvas.width, canvas.height);
        target.save();
        target.setTransform(1, 0, 0, 1, 0, 0);
        target.drawImage(canvas, 0, 0);
        target.restore();
      },
    };
  }

  function drawCoverage(g, view, map, coverage, points) {
    const palette = map.qj.palette, tool = scratch(view);
    const error = (i) => (coverage.error.length === 1 ? coverage.error[0] : coverage.error[i]);
    const gapFill = g.createPattern(stripes(palette.gapLine, palette.gap, 7, 1), "repeat");
    const possibleFill = g.createPattern(stripes(palette.coveredLine, palette.possible, 9, 1.5), "repeat");
    for (const zone of coverage.zones) {
      const towns = zone.towns.map((name) => map.qj.byName.get(name)).filter(Boolean);
      const trace = (target) => {
        target.beginPath();
        for (const town of towns) tracePath(target, town.polygons, view);
      };
      const clip = () => {
        tool.g.globalCompositeOperation = "destination-in";
        trace(tool.g);
        tool.g.fill("evenodd");
      };
      const outer = (i) => zone.radius + error(i), inner = (i) => zone.radius - error(i);
      if (coverage.show.gap) {
        tool.begin();
        trace(tool.g);
        tool.g.fill("evenodd");
        tool.g.globalCompositeOperation = "destination-out";
        fillDiscs(tool.g, view, points, outer);
        tool.paint(g, gapFill);
      }
      if (coverage.show.possible && coverage.error.some((e) => e > 0)) {
        tool.begin();
        fillDiscs(tool.g, view, points, outer);
        tool.g.globalCompositeOperation = "destination-out";
        fillDiscs(tool.g, view, points, inner);
        clip();
        tool.paint(g, possibleFill);
      }
      if (coverage.show.covered) {
        tool.begin();
        fillDiscs(tool.g, view, points, inner);
        clip();
        tool.paint(g, palette.covered);
      }
    }
  }

  function drawShades(g, view, map, shades) {
    for (const [name, fill] of Object.entries(shades)) {
      const town = map.qj.byName.get(name);
      if (!town) continue;
      g.beginPath();
      tracePath(g, town.polygons, view);
      g.fillStyle = fill;
      g.fill("evenodd");
    }
  }

  /* ---- marks ---- */

  function markSize(layer, zoom) {
    if (layer.points.n <= 60) return zoom >= 12 ? 26 : 22;
    if (layer.points.n <= 300) return zoom >= 12 ? 22 : 14;
    return zoom >= 16 ? 22 : zoom >= 14.5 ? 16 : zoom >= 13 ? 9 : zoom >= 11.5 ? 6 : 4;
  }

  function markSprite(style, path, size, ratio) {
    const canvas = document.createElement("canvas");
    const side = size + 4;
    canvas.width = canvas.height = Math.ceil(side * ratio);
    const g = canvas.getContext("2d");
    g.scale(ratio, ratio);
    const c = side / 2;
    g.beginPath();
    g.arc(c, c, size / 2, 0, 2 * Math.PI);
    if (size < 12) {
      g.fillStyle = style.hollow ? "#fff" : style.colour;
      g.fill();
      g.lineWidth = style.hollow ? 1.25 : 0.75;
      g.strokeStyle = style.hollow ? style.colour : "#fff";
      g.stroke();
      return { canvas, side };
    }
    g.fillStyle = style.hollow ? "#fff" : style.colour;
    g.fill();
    g.lineWidth = 1.5;
    if (style.hollow) g.setLineDash([3, 2]);
    g.strokeStyle = style.hollow ? style.colour : "#fff";
    g.stroke();
    const k = (size * 0.62) / 24;
    g.translate(c - 12 * k, c - 12 * k);
    g.scale(k, k);
    g.fillStyle = style.hollow ? style.colour : "#fff";
    g.fill(new Path2D(path));
    return { canvas, side };
  }

  function drawMarks(g, view, layer) {
    const size = markSize(layer, view.zoom);
    const sprites = layer.styles.map((style) => markSprite(style, layer.symbol, size, view.ratio));
    const seen = new Set();
    for (let i = layer.points.n - 1; i >= 0; i--) {
      const x = layer.points.x[i] * view.world - view.ox, y = layer.points.y[i] * view.world - view.oy;
      if (x < view.min.x - 20 || x > view.max.x + 20 || y < view.min.y - 20 || y > view.max.y + 20) continue;
      const sprite = sprites[layer.classes[i]] || sprites[0];
      if (size <= 4) {
        const key = Math.round(x) + "," + Math.round(y) + "," + layer.classes[i];
        if (seen.has(key)) continue;
        seen.add(key);
      }
      g.drawImage(sprite.canvas, x - sprite.side / 2, y - sprite.side / 2, sprite.side, sprite.side);
    }
    if (size >= 12) drawCounts(g, view, layer, size);
  }

  /* Records known only to their town lie on one another: say how many. */
  function drawCounts(g, view, layer, size) {
    g.font = "600 11px " + FONT;
    g.textAlign = "center";
    g.textBaseline = "middle";
    for (const [first, count] of layer.stacks) {
      const x = layer.points.x[first] * view.world - view.ox + size * 0.5, y = layer.points.y[first] * view.world - view.oy - size * 0.5;
      g.beginPath();
      g.arc(x, y, 8, 0, 2 * Math.PI);
      g.fillStyle = "#2b3640";
      g.fill();
      g.lineWidth = 1.5;
      g.strokeStyle = "#fff";
      g.stroke();
      g.fillStyle = "#fff";
      g.fillText(count > 99 ? "99+" : String(count), x, y);
    }
  }

  function stacks(points) {
    const seen = new Map();
    for (let i = 0; i < points.n; i++) {
      const key = points.lon[i] + "," + points.lat[i];
      const found = seen.get(key);
      if (found) found[1]++;
      else seen.set(key, [i, 1]);
    }
    return Array.from(seen.values()).filter(([, count]) => count > 1);
  }

  /* ---- lines and areas of a layer ---- */

  /* Rings and lines by shape, in units of the world's width, each shape with its box; `order` is bottom to top. */
  function decodeShapes(layer) {
    const raw = decodeInts(layer.points), lengths = decodeInts(layer.lengths), owners = decodeInts(layer.owners);
    const closed = decodeBytes(layer.closed, lengths.length), order = Array.from(decodeInts(layer.order));
    const shapes = order.map(() => ({ rings: [], lines: [], box: [Infinity, Infinity, -Infinity, -Infinity] }));
    for (let p = 0, at = 0; p < lengths.length; p++) {
      const shape = shapes[owners[p]], flat = new Float64Array(2 * lengths[p]);
      for (let i = 0; i < flat.length; i += 2, at += 2) {
        flat[i] = mercatorX(raw[at] / 1e5);
        flat[i + 1] = mercatorY(raw[at + 1] / 1e5);
        shape.box = [Math.min(shape.box[0], flat[i]), Math.min(shape.box[1], flat[i + 1]),
                     Math.max(shape.box[2], flat[i]), Math.max(shape.box[3], flat[i + 1])];
      }
      shape[closed[p] ? "rings" : "lines"].push(flat);
    }
    const classes = decodeBytes(layer.classes, shapes.length);
    return Object.assign({}, layer, { shapes, order, classes });
  }

  function traceShape(g, shape, view) {
    g.beginPath();
    tracePath(g, [shape.rings], view);
    for (const line of shape.lines)
      for (let i = 0; i < line.length; i += 2) {
        const x = line[i] * view.world - view.ox, y = line[i + 1] * view.world - view.oy;
        if (i === 0) g.moveTo(x, y);
        else g.lineTo(x, y);
      }
  }

  function strokeShape(g, colour, width, dashed) {
    g.setLineDash([]);
    g.strokeStyle = "rgba(255,255,255,.8)";
    g.lineWidth = width + 1.5;
    g.stroke();
    if (dashed) g.setLineDash([7, 4]);
    g.strokeStyle = colour;
    g.lineWidth = width;
    g.stroke();
    g.setLineDash([]);
  }

  function drawShapes(g, view, map, layer) {
    g.lineJoin = g.lineCap = "round";
    const seen = (box) =>
      box[2] * view.world - view.ox > view.min.x && box[0] * view.world - view.ox < view.max.x &&
      box[3] * view.world - view.oy > view.min.y && box[1] * view.world - view.oy < view.max.y;
    const chosen = layer.shapes[layer.chosen] ? [layer.chosen] : [];
    for (const i of layer.order.filter((one) => one !== layer.chosen).concat(chosen)) {
      const shape = layer.shapes[i], style = layer.styles[layer.classes[i]] || layer.styles[0];
      if (!seen(shape.box)) continue;
      traceShape(g, shape, view);
      if (style.fill && shape.rings.length) {
        g.fillStyle = style.fill;
        g.fill("evenodd");
      }
      if (i === layer.chosen) strokeShape(g, map.qj.palette.accent, 3.5, false);
      else strokeShape(g, style.colour, view.zoom >= 12 ? 2.25 : 1.5, style.dashed);
    }
  }

  /* How far a point is from a path, squared, all in units of the world's width. */
  function distance2(path, x, y) {
    let least = Infinity;
    for (let i = 2; i < path.length; i += 2) {
      const ax = path[i - 2], ay = path[i - 1], dx = path[i] - ax, dy = path[i + 1] - ay;
      const t = Math.max(0, Math.min(1, ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy || 1)));
      least = Math.min(least, (ax + t * dx - x) ** 2 + (ay + t * dy - y) ** 2);
    }
    return least;
  }

  /* The shape at a point: the line within reach, else the uppermost (smallest) area around it. */
  function shapeAt(layers, x, y, reach) {
    let nearest = null, least = reach * reach;
    for (const layer of layers)
      layer.shapes.forEach((shape, i) => {
        const [west, north, east, south] = shape.box;
        if (!shape.lines.length || x < west - reach || x > east + reach || y < north - reach || y > south + reach) return;
        for (const line of shape.lines) {
          const d = distance2(line, x, y);
          if (d <= least) [nearest, least] = [{ layer, i }, d];
        }
      });
    if (nearest) return nearest;
    for (const layer of layers.slice().reverse())
      for (let n = layer.order.length - 1; n >= 0; n--) {
        const i = layer.order[n], shape = layer.shapes[i], [west, north, east, south] = shape.box;
        if (x >= west && x <= east && y >= north && y <= south && contains([shape.rings], x, y)) return { layer, i };
      }
    return null;
  }

  function drawChosen(g, view, map, chosen) {
    const x = mercatorX(chosen.lon) * view.world - view.ox, y = mercatorY(chosen.lat) * view.world - view.oy;
    g.strokeStyle = map.qj.palette.accent;
    if (chosen.error > 0) {
      const r = (chosen.error / (EQUATOR_M * Math.cos((chosen.lat * Math.PI) / 180))) * view.world;
      g.lineWidth = 1.5;
      g.setLineDash([5, 4]);
      g.beginPath();
      g.arc(x, y, r, 0, 2 * Math.PI);
      g.stroke();
      g.setLineDash([]);
    }
    g.lineWidth = 3;
    g.beginPath();
    g.arc(x, y, 15, 0, 2 * Math.PI);
    g.stroke();
  }

  /* ---- legend and notices ---- */

  function text(tag, className, content, parent) {
    const node = L.DomUtil.create(tag, className, parent);
    node.textContent = content;
    return node;
  }

  function swatch(entry, map, parent) {
    const canvas = L.DomUtil.create("canvas", "qj-swatch", parent);
    const ratio = window.devicePixelRatio || 1;
    canvas.width = 26 * ratio;
    canvas.height = 20 * ratio;
    canvas.style.width = "26px";
    canvas.style.height = "20px";
    const g = canvas.getContext("2d"), palette = map.qj.palette;
    g.scale(ratio, ratio);
    if (entry.path) {
      const sprite = markSprite(entry, entry.path, 16, ratio);
      g.drawImage(sprite.canvas, 13 - sprite.side / 2, 10 - sprite.side / 2, sprite.side, sprite.side);
      return;
    }
    if (entry.shape) {
      const { colour, fill, dashed, area } = entry.shape;
      g.beginPath();
      if (area) g.rect(3, 4, 20, 12);
      else {
        g.moveTo(2, 10);
        g.lineTo(24, 10);
      }
      if (area && fill) {
        g.fillStyle = fill;
        g.fill();
      }
      if (dashed) g.setLineDash([5, 3]);
      g.strokeStyle = colour;
      g.lineWidth = area ? 1.5 : 2.25;
      g.stroke();
      return;
    }
    const fills = {
      covered: palette.covered,
      possible: g.createPattern(stripes(palette.coveredLine, palette.possible, 9, 1.5), "repeat"),
      gap: g.createPattern(stripes(palette.gapLine, palette.gap, 7, 1), "repeat"),
    };
    g.fillStyle = fills[entry.area] || entry.fill;
    g.fillRect(2, 3, 22, 14);
    g.strokeStyle = palette.line;
    g.strokeRect(2.5, 3.5, 21, 13);
  }

  const Legend = L.Control.extend({
    options: { position: "bottomleft" },
    initialize: function (spec) {
      L.Util.setOptions(this, {});
      this._spec = spec;
    },
    onAdd: function (map) {
      const box = L.DomUtil.create("div", "qj-legend");
      L.DomEvent.disableClickPropagation(box);
      for (const entry of this._spec) {
        const row = L.DomUtil.create("div", "qj-row", box);
        if (entry.area || entry.path || entry.fill || entry.shape) swatch(entry, map, row);
        text("span", "", entry.label, row);
      }
      return box;
    },
  });

  const Notices = L.Control.extend({
    options: { position: "topright" },
    initialize: function (notices) {
      L.Util.setOptions(this, {});
      this._notices = notices;
    },
    onAdd: function () {
      const box = L.DomUtil.create("div", "qj-notices");
      for (const notice of this._notices) text("div", "qj-notice" + (notice.strong ? " qj-strong" : ""), notice.text, box);
      return box;
    },
  });

  /* ---- a scene: everything that changes with a filter ---- */

  let turn = 0;

  const Scene = L.Layer.extend({
    initialize: function (spec) {
      this._spec = spec;
      this._layers_ = spec.layers.map((layer) => {
        const points = decodePoints(layer.points);
        return Object.assign({}, layer, { points, classes: decodeBytes(layer.classes, points.n), stacks: stacks(points) });
      });
      this._shapes_ = (spec.shapes || []).map(decodeShapes);
      if (spec.coverage) spec.coverage.error = Array.from(decodeFloats(spec.coverage.error));
    },
    onAdd: function (map) {
      const spec = this._spec;
      map.qj.selected = spec.town;
      map.qj.obstacles = this._layers_
        .filter((layer) => layer.visible && layer.points.n <= 80)
        .flatMap((layer) => Array.from(layer.points.x, (x, i) => [x, layer.points.y[i], 12]));
      map.qj.lines.redraw();
      map.qj.names.redraw();
      this._areas = new Canvas((g, view) => {
        if (spec.shades) drawShades(g, view, map, spec.shades);
        if (spec.coverage) drawCoverage(g, view, map, spec.coverage, this._layers_[spec.coverage.of].points);
      }, { pane: pane(map, "qj-areas", 400) });
      this._shapes = new Canvas((g, view) => {
        for (const layer of this._shapes_) drawShapes(g, view, map, layer);
        drawSelected(g, view, map);
      }, { pane: pane(map, "qj-shapes", 430) });
      this._marks = new Canvas((g, view) => {
        for (const layer of this._layers_) if (layer.visible) drawMarks(g, view, layer);
        if (spec.chosen) drawChosen(g, view, map, spec.chosen);
        map.getContainer().dataset.scene = spec.id;
      }, { pane: pane(map, "qj-marks", 440) });
      this._areas.addTo(map);
      if (this._shapes_.length) this._shapes.addTo(map);
      this._marks.addTo(map);
      if (spec.legend.length) this._legend = new Legend(spec.legend).addTo(map);
      this._notices = new Notices(spec.notices).addTo(map);
      map.on("click", this._onClick, this);
      map.on("mousemove", this._onMove, this);
      if (spec.focus && map.qj.focus !== spec.focus.id) {
        /* A view that the address asks for goes before the town that it asks for. */
        if (!map.qj.asked) map.fitBounds(spec.focus.bounds, { padding: [24, 24], maxZoom: 14, animate: false });
        map.qj.focusView = map.qj.asked ? null : viewOf(map);
      }
      map.qj.focus = spec.focus ? spec.focus.id : null;
      map.qj.asked = false;
      map.qj.ready = true;
    },
    onRemove: function (map) {
      map.off("click", this._onClick, this);
      map.off("mousemove", this._onMove, this);
      this._areas.remove();
      this._shapes.remove();
      this._marks.remove();
      if (this._legend) this._legend.remove();
      this._notices.remove();
      if (this._hover) this._hover.remove();
      this._hover = null;
    },
    /* The visible marks nearest to the pointer, within reach (more than one where they lie on one another); else the
     * line or area there. */
    _hit: function (latlng) {
      const map = this._map, world = 256 * Math.pow(2, map.getZoom());
      const px = mercatorX(latlng.lng) * world, py = mercatorY(latlng.lat) * world;
      let best = null, bestDistance = HIT_PX * HIT_PX, same = [];
      for (const layer of this._layers_) {
        if (!layer.visible) continue;
        for (let i = 0; i < layer.points.n; i++) {
          const dx = layer.points.x[i] * world - px, dy = layer.points.y[i] * world - py;
          const d = dx * dx + dy * dy;
          if (d > bestDistance) continue;
          same = best && d === bestDistance ? same.concat([{ layer, i }]) : [{ layer, i }];
          bestDistance = d;
          best = same[0];
        }
      }
      if (same.length) return same;
      const shape = shapeAt(this._shapes_, mercatorX(latlng.lng), mercatorY(latlng.lat), (HIT_PX / 2) / world);
      return shape ? [Object.assign(shape, { shape: true })] : [];
    },
    _townAt: function (latlng) {
      const x = mercatorX(latlng.lng), y = mercatorY(latlng.lat);
      return this._map.qj.towns.find((t) => !t.context && contains(t.polygons, x, y));
    },
    /* streamlit-folium reads a clicked layer's tooltip: that is how the record's key reaches the server. */
    _onClick: function (event) {
      if (event.originalEvent.detail > 1) return; /* a double click nears the map; its first half has chosen already */
      const hits = this._hit(event.latlng);
      /* A second click on a stack opens the next record of it. */
      const place = hits.map((one) => one.layer.key + one.i).join();
      turn = place === this._map.qj.place ? turn + 1 : 0;
      this._map.qj.place = place;
      const hit = hits.length ? hits[turn % hits.length] : null;
      const town = hit ? null : this._townAt(event.latlng);
      /* Numbers only: streamlit-folium passes this text through innerHTML, so no name from data may be in it. */
      this._map.qj.clicks = (this._map.qj.clicks || 0) + 1;
      const what = hit ? "record|" + hit.layer.key + "|" + hit.i : "town|" + this._map.qj.towns.indexOf(town);
      /* The count makes a second click on the same thing news; the zoom says how fine a place can be meant. */
      const key = what + "|" + this._map.qj.clicks + "|" + this._map.getZoom().toFixed(2);
      this._tooltip = { _content: key };
      this.getTooltip = () => ({ getContent: () => key });
      this.fire("click", { latlng: event.latlng, sourceTarget: this, hits, town });
    },
    _onMove: function (event) {
      const hit = this._hit(event.latlng)[0];
      this._map.getContainer().style.cursor = hit ? "pointer" : "";
      const name = hit && hit.layer.names ? hit.layer.names[hit.i] : null;
      if (!name) {
        if (this._hover) this._hover.remove();
        this._hover = null;
        return;
      }
      if (!this._hover) this._hover = L.tooltip({ direction: "top", offset: [0, -10], className: "qj-hover" });
      const node = document.createElement("span");
      node.textContent = name;
      this._hover.setLatLng(hit.shape ? event.latlng : [hit.layer.points.lat[hit.i], hit.layer.points.lon[hit.i]]).setContent(node);
      if (!this._map.hasLayer(this._hover)) this._hover.addTo(this._map);
    },
  });

  window.qjmap = { base, scene: (spec) => new Scene(spec) };
})();
