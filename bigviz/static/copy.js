// The buttons beside fields that copy what the field holds, on the pages of people. Those work without scripts too, so
// the buttons are hidden until this runs. On pages without TLS browsers have no clipboard: then the field is selected.

const SHOWN_MS = 2000;

for (const button of document.querySelectorAll("button[data-copy]")) {
  const field = document.getElementById(button.getAttribute("data-copy") ?? "");
  if (button instanceof HTMLButtonElement && field instanceof HTMLInputElement) {
    button.hidden = false;
    button.addEventListener("click", () => copy(field, button));
  }
}

/** @param {HTMLInputElement} field @param {HTMLButtonElement} button */
async function copy(field, button) {
  const words = button.textContent;
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Press Ctrl+C";
  }
  setTimeout(() => {
    button.textContent = words;
  }, SHOWN_MS);
}
