// The list of documents: it follows what is typed into the search, and the order that is chosen. Without this script
// the form does the same, with a page for each search.

const TYPING_MS = 200;

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

/** Shows what the form asks for, and keeps its address.  @param {HTMLFormElement} of */
async function show(of) {
  const address = wanted(of);
  asking?.abort();
  asking = new AbortController();
  try {
    const answer = await fetch(address, { headers: { Accept: "text/html" }, signal: asking.signal });
    if (!answer.ok) throw new Error(answer.statusText);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of ["main", ".list-end"]) {
      const fresh = page.querySelector(part);
      if (fresh) document.querySelector(part)?.replaceWith(document.adoptNode(fresh));
    }
    history.replaceState(null, "", address);
  } catch (error) {
    if (!(error instanceof DOMException && error.name === "AbortError")) location.assign(address);
  }
}

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
