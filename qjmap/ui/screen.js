/* The meeting screen's clock and keys. Python is told only which scene is next, or that the show is left.
 *
 * Keys are heard on the page and inside the map's frame, wherever the focus is. The clock starts anew with every scene;
 * a pause is the browser's own: it is not part of the link.
 */
const shows = new WeakMap();

function element(tag, className, content) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (content !== undefined) node.textContent = content;
  return node;
}

/** The size of text follows the screen, and with it the map's: its own unit is the pixel. */
function fit() {
  const root = document.documentElement;
  root.style.setProperty("--qj-zoom", String(Math.max(1, Math.min(innerWidth / 1100, innerHeight / 620))));
}

function frames() {
  return Array.from(document.querySelectorAll("iframe"), (frame) => {
    try {
      return frame.contentWindow;
    } catch {
      return null;
    }
  }).filter(Boolean);
}

class Show {
  constructor(parent) {
    this.bar = parent.querySelector(".bar");
    this.paused = false;
    this.heard = new Set();
    this.onKey = (event) => this.key(event);
    this.onSize = () => fit();
    addEventListener("resize", this.onSize);
    fit();
    /* The map's frame may come, and come again, after this. */
    this.listening = setInterval(() => this.listen(), 500);
    this.listen();
    this.status = element("span", "where");
    this.status.setAttribute("role", "status");
    this.dots = element("span", "dots");
    this.dots.setAttribute("aria-hidden", "true");
    this.help = element("span", "help", "← → 换场 · 空格 暂停 · F 全屏 · Esc 退出");
    this.bar.replaceChildren(this.status, this.dots, this.help);
  }

  listen() {
    for (const target of [window, ...frames()]) {
      if (this.heard.has(target)) continue;
      target.addEventListener("keydown", this.onKey, true);
      this.heard.add(target);
    }
  }

  set(data, tell) {
    this.data = data;
    this.tell = tell;
    if (this.asked === data.place || this.asked >= data.names.length) this.asked = null;
    this.say();
    this.wind();
  }

  say() {
    const { place, names, strange } = this.data;
    this.status.textContent = `${place + 1} / ${names.length}${this.paused ? "  已暂停" : ""}`;
    if (strange) this.help.textContent = `链接里有 ${strange} 个场景看不懂,已略过`;
    this.dots.hidden = names.length > 24; /* more would not fit, nor tell more than the number does */
    this.dots.replaceChildren(
      ...names.map((_, number) => element("i", number === place ? "here" : ""))
    );
    this.bar.classList.toggle("paused", this.paused);
  }

  wind() {
    clearTimeout(this.clock);
    this.bar.classList.remove("running");
    if (this.paused || this.data.names.length < 2) return;
    void this.bar.offsetWidth; /* the line that grows begins again */
    this.bar.style.setProperty("--seconds", `${this.data.seconds}s`);
    this.bar.classList.add("running");
    this.clock = setTimeout(() => this.go(1), this.data.seconds * 1000);
  }

  go(by) {
    const { place, names } = this.data;
    this.ask(((this.asked ?? place) + by + names.length) % names.length); /* quick keys count from one another */
  }

  ask(place) {
    if (this.leaving()) return;
    clearTimeout(this.clock);
    this.asked = place;
    this.tell(place);
    /* An answer that never comes must not stop the show. */
    if (!this.paused) this.clock = setTimeout(() => this.ask(place), this.data.seconds * 1000 + 5000);
  }

  /* Esc is pressed twice by habit; but one that was not heard may be repeated. */
  leaving() {
    return performance.now() - this.left < 2000;
  }

  leave() {
    if (this.leaving()) return;
    this.left = performance.now();
    clearTimeout(this.clock);
    this.tell("leave");
  }

  key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const does = {
      ArrowRight: () => this.go(1),
      PageDown: () => this.go(1),
      ArrowLeft: () => this.go(-1),
      PageUp: () => this.go(-1),
      " ": () => {
        this.paused = !this.paused;
        this.say();
        this.wind();
      },
      Escape: () => {
        if (document.fullscreenElement) document.exitFullscreen();
        else this.leave();
      },
      f: () => (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen()),
    }[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!does) return;
    event.preventDefault();
    event.stopPropagation();
    if (!event.repeat) does();
  }

  end() {
    clearTimeout(this.clock);
    clearInterval(this.listening);
    removeEventListener("resize", this.onSize);
    for (const target of this.heard) target.removeEventListener("keydown", this.onKey, true);
    document.documentElement.style.removeProperty("--qj-zoom");
    if (document.fullscreenElement) document.exitFullscreen();
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  if (!shows.has(parentElement)) shows.set(parentElement, new Show(parentElement));
  const show = shows.get(parentElement);
  show.set(data, (where) => setTriggerValue("go", where));
  return () => {
    show.end();
    shows.delete(parentElement);
  };
}
