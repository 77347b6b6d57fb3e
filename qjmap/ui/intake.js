/* Where a step gives way to the next, its button goes and the focus with it: it is put on the new step's name. */
const LONGEST = 3000;
const stood = new WeakMap();

export default function run({ data, parentElement }) {
  const before = stood.get(parentElement), now = data.step;
  stood.set(parentElement, now);
  if (before === undefined || before === now) return; /* just opened: the focus is where the person has it */
  const since = performance.now();
  const look = () => {
    const step = document.querySelector(".qj-steps [aria-current='step']");
    if (step && step.querySelector("b").textContent === String(now)) {
      step.tabIndex = -1;
      step.focus();
    } else if (stood.get(parentElement) === now && performance.now() - since < LONGEST) requestAnimationFrame(look);
  };
  look();
}
