/* 复制链接. An intranet without https is no secure context: there is no clipboard there but the old way, or one's own hand. */
async function copied(text) {
  if (window.isSecureContext && navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch (refused) {
      /* not allowed: the old way */
    }
  }
  const area = document.createElement("textarea");
  area.value = text;
  area.setAttribute("aria-hidden", "true");
  area.style.cssText = "position:fixed;top:0;left:0;width:1px;height:1px;opacity:0";
  document.body.append(area);
  area.select();
  try {
    return document.execCommand("copy");
  } catch (refused) {
    return false;
  } finally {
    area.remove();
  }
}

/* On the way to another page Streamlit first strips the address that it leaves, may add a part of it again, goes to the
 * next page's bare address, and then adds what is chosen there. These halves would stand in the history and, on the way
 * back, undo choices: so each is replaced by what follows it at once. What follows a person's own click or key is a step. */
function joinSteps() {
  if (history.pushState.joined) return;
  const push = history.pushState.bind(history), replace = history.replaceState.bind(history);
  const AT_ONCE = 5000;
  let stripped = -AT_ONCE, arriving = true;
  const acted = () => {
    stripped = -AT_ONCE;
    arriving = false;
  };
  window.addEventListener("pointerdown", acted, true);
  window.addEventListener("keydown", acted, true);
  window.addEventListener("message", (event) => {
    if (event.data?.type === "streamlit:setComponentValue") acted(); /* a click on the map, which is a frame of its own */
  });
  const joined = (state, unused, url) => {
    const to = new URL(url ?? location.href, location.href), here = to.pathname === location.pathname;
    const bare = !location.search;
    const follows = performance.now() - stripped < AT_ONCE || (here && bare && to.search && arriving);
    if (!here) {
      stripped = -AT_ONCE;
      arriving = true;
    } else if (!bare && !to.search) stripped = performance.now();
    return (follows ? replace : push)(state, unused, url);
  };
  joined.joined = true;
  history.pushState = joined;
}

export default function run({ parentElement }) {
  joinSteps();
  const button = parentElement.querySelector("button"), said = parentElement.querySelector("span");
  const field = parentElement.querySelector("input");
  const local = /^(localhost|127\.\d+\.\d+\.\d+|\[?::1\]?)$/.test(window.location.hostname);
  let later = 0;
  button.onclick = async () => {
    const address = window.location.href, done = await copied(address);
    button.focus();
    said.textContent = (done ? "已复制" : "请按 Ctrl+C 复制") + (local ? "。此链接只在本机有效" : "");
    field.hidden = done;
    field.value = done ? "" : address;
    if (!done) field.select();
    clearTimeout(later);
    if (done) later = setTimeout(() => (said.textContent = ""), 5000);
  };
}
