// Buttons, menus and links, wired to what they do.

function wireControls() {
  one("#play").addEventListener("click", () => (player.playing ? player.pause() : player.play()));
  one("#back").addEventListener("click", () => player.step(-1));
  one("#forward").addEventListener("click", () => player.step(1));
  one("#seek").addEventListener("input", (event) => seek(event.target.valueAsNumber));
  one("#speed").addEventListener("change", (event) => setSpeed(event.target.value));
  one("#loop").addEventListener("change", (event) => {
    player.loop = event.target.checked;
    remember();
  });
  one("#to-worst").addEventListener("click", () => seekMarked("worst"));
  one("#to-divergence").addEventListener("click", () => seekMarked("divergence"));
  one("#show-help").addEventListener("click", () => one("#help").showModal());
}

/** Set the speed to one of those that the menu has. */
function setSpeed(wanted) {
  const menu = one("#speed");
  const known = [...menu.options].find((option) => Number(option.value) === Number(wanted));
  menu.value = known ? known.value : "1";
  player.speed = Number(menu.value);
  if (selected.prompt !== null) remember();
}

function changeSpeed(by) {
  const menu = one("#speed");
  setSpeed(menu.options[Math.min(menu.options.length - 1, Math.max(0, menu.selectedIndex + by))].value);
}

function wirePickers() {
  one("#prompt-select").addEventListener("change", (event) => select({ prompt: event.target.value }));
  one("#against-select").addEventListener("change", (event) => select({ against: event.target.value }));
  for (const picker of all(".variant-select, .variants input"))
    picker.addEventListener("change", (event) => select({ variant: event.target.value }));
  one("#metrics")?.addEventListener("change", (event) => {
    select({ metric: event.target.value });
    showStrip();
  });
  one("#numbers")?.addEventListener("toggle", showCurves);
  for (const row of all("[data-pick]"))
    row.addEventListener("click", (event) => {
      if (event.target.closest("a, summary")) return;
      select({ variant: row.dataset.pick });
      if (event.target.closest(".pick")) showPlayer();
    });
}

/** On paper the values stand below their curve. */
function wirePrinting() {
  const numbers = one("#numbers");
  if (!numbers) return;
  let open = false;
  addEventListener("beforeprint", () => {
    open = numbers.open;
    numbers.open = true;
    fillNumbers(one("#numbers table"), curves(selected.metric));
  });
  addEventListener("afterprint", () => (numbers.open = open));
}

function wireTheme() {
  const root = document.documentElement;
  if (["light", "dark"].includes(recalled("theme"))) root.dataset.theme = recalled("theme");
  const dark = () => getComputedStyle(root).colorScheme === "dark" || (root.dataset.theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  one("#theme").addEventListener("click", () => keep("theme", (root.dataset.theme = dark() ? "light" : "dark")));
}
