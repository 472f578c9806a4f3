// The list of documents: it follows what is typed into the search, the order that is chosen, and documents that are
// being opened. Without this script the form does the same, with a page for each search.

const TYPING_MS = 200;
/** Between two looks at a list whose documents are being opened. */
const OPENING_MS = 2_000;

const form = /** @type {HTMLFormElement|null} */ (document.querySelector(".list-search"));
/** @type {ReturnType<typeof setTimeout>|undefined} */ let waiting;
/** @type {AbortController|undefined} */ let asking;

/** The address of what the form asks for.  @param {HTMLFormElement} of */
function wanted(of) {
  const query = new URLSearchParams();
  for (const [key, value] of new FormData(of))
    if (typeof value === "string" && value !== "" && !(key === "sort" && value === "updated")) query.set(key, value);
  const text = query.toString();
  return new URL(text === "" ? "./" : `./?${text}`, location.href);
}

/** Shows the list as it is at an address.  @param {URL|string} address @param {AbortSignal} [signal] */
async function load(address, signal) {
  const answer = await fetch(address, { headers: { Accept: "text/html" }, signal });
  if (!answer.ok) throw new Error(answer.statusText);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of ["main", ".list-end"]) {
    const fresh = page.querySelector(part);
    if (fresh) document.querySelector(part)?.replaceWith(document.adoptNode(fresh));
  }
}

/** Shows what the form asks for, and keeps its address.  @param {HTMLFormElement} of */
async function show(of) {
  const address = wanted(of);
  asking?.abort();
  asking = new AbortController();
  try {
    await load(address, asking.signal);
    history.replaceState(null, "", address);
  } catch (error) {
    if (!(error instanceof DOMException && error.name === "AbortError")) location.assign(address);
  }
}

/** Asks again while documents are being opened; a server that does not answer may be starting again. */
async function follow() {
  if (!document.querySelector("main[data-opening]")) return;
  await load(location.href).catch(() => {});
  setTimeout(() => void follow(), OPENING_MS);
}

setTimeout(() => void follow(), OPENING_MS);
form?.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(() => void show(form), TYPING_MS);
});
form?.addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(waiting);
  void show(form);
});
// A key that begins a search, as on other pages of lists.
addEventListener("keydown", (event) => {
  const field = form?.querySelector("input");
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || document.activeElement === field) return;
  event.preventDefault();
  field?.focus();
});
