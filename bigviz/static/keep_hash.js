// The login leads on to the view that stands in the hash of the page's address. Browsers keep a hash over a redirect,
// so it is here, and goes on to the document when the form is sent to an address with it. It reaches no server.

for (const form of document.forms) {
  const action = form.getAttribute("action") ?? "";
  form.addEventListener("submit", () => form.setAttribute("action", action + location.hash));
}
