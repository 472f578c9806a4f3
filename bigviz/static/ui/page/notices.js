// The page's notices: toasts with the server's words, the banner while the connection is down, and one line a second
// at most for screen readers.

import { find, icon, make, raise, textButton } from "../../dom.js";

/** Errors, and passing notes, that are shown at a time: the oldest leave first. */
const KEPT = 3;
const NOTE_MS = 6000;
const LIVE_MS = 1000;

export class Notices {
  /** @param {HTMLElement} root that holds the places for them */
  constructor(root) {
    this.root = root;
    this.toasts = find(root, ".toasts", HTMLElement);
    this.banner = find(root, ".banner", HTMLElement);
    this.bannerText = find(this.banner, "span", HTMLElement);
    this.retry = find(this.banner, "button", HTMLButtonElement);
    this.live = find(root, ".live", HTMLElement);
    /** @type {Set<ReturnType<typeof setTimeout>>} */ this.timers = new Set();
    /** @type {ReturnType<typeof setInterval>|undefined} */ this.countdown = undefined;
    /** Words to announce, by their subject.  @type {Map<string, string>} */ this.waiting = new Map();
    this.spoken = Number.NEGATIVE_INFINITY;
    this.place = () => this.#place();
    document.addEventListener("fullscreenchange", this.place);
  }

  /** Browsers show nothing outside of a figure in full screen, or let nobody press and hear it: it stands in there. */
  #place() {
    const full = document.fullscreenElement;
    const into = full && this.root.contains(full) ? full : this.root;
    for (const part of [this.banner, this.toasts, this.live]) {
      if (part.parentElement === into) continue;
      const isOpen = part.matches(":popover-open");
      into.append(part);
      if (isOpen) part.showPopover();
    }
  }

  /**
   * An error, until it is closed. The same words again only lift the toast that shows them.
   * @param {string} words
   */
  error(words) {
    const same = [...this.toasts.children].find((t) => t instanceof HTMLElement && t.dataset.words === words);
    same?.remove();
    const toast = this.#toast(words, "alert");
    toast.dataset.words = words;
    this.#thin("error", toast);
  }

  /** A passing note, such as "copied".  @param {string} words */
  note(words) {
    const toast = this.#toast(words, "status");
    toast.classList.add("note");
    this.#thin("passing", toast);
    this.#later(() => toast.remove(), NOTE_MS);
  }

  /**
   * A toast is one of a kind of which the newest few are kept. What is so and what is offered stays beside them.
   * @param {"error"|"passing"} kind @param {HTMLElement} toast
   */
  #thin(kind, toast) {
    toast.dataset.kind = kind;
    const all = this.toasts.querySelectorAll(`[data-kind="${kind}"]`);
    for (const old of [...all].slice(0, -KEPT)) old.remove();
  }

  /**
   * News with a button that does what can be done about it, until it is used or closed. News about the same thing takes
   * the place of what was said before.
   * @param {string} about @param {string} words @param {string} label of the button @param {() => void} act
   */
  offer(about, words, label, act) {
    for (const other of this.toasts.children)
      if (other instanceof HTMLElement && other.dataset.about === about) other.remove();
    const toast = this.#toast(words, "status");
    toast.classList.add("note");
    toast.dataset.about = about;
    toast.querySelector("p")?.after(textButton(label, act));
  }

  /**
   * What is so until it is said otherwise: words about the same thing take the place of those before.
   * @param {string} about @param {string|null} words null: it is not so any more
   */
  state(about, words) {
    for (const other of this.toasts.children)
      if (other instanceof HTMLElement && other.dataset.about === about) other.remove();
    if (words === null) return;
    const toast = this.#toast(words, "status");
    toast.dataset.about = about;
    toast.dataset.words = words;
  }

  /** @param {string} words @param {"alert"|"status"} role @returns {HTMLElement} */
  #toast(words, role) {
    const close = make("button", { class: "tool small", attrs: { type: "button", "aria-label": "Dismiss" } }, [
      icon("close"),
    ]);
    const toast = make("div", { class: "toast", attrs: { role } });
    if (role === "alert") toast.append(icon("warn"));
    toast.append(make("p", { text: words }), close);
    close.addEventListener("click", () => toast.remove());
    this.toasts.append(toast);
    this.place();
    raise(this.toasts);
    return toast;
  }

  /**
   * @param {number} inMs until the next try @param {() => void} now what Retry does
   * @param {string} [words] what the page waits for
   */
  down(inMs, now, words = "The connection is lost; the view is kept.") {
    clearInterval(this.countdown);
    const due = performance.now() + inMs;
    const show = () => {
      const left = Math.ceil((due - performance.now()) / 1000);
      this.bannerText.textContent = left > 0 ? `${words} Trying again in ${left} s.` : "Connecting again…";
    };
    show();
    this.countdown = setInterval(show, 500);
    this.place();
    if (!this.banner.matches(":popover-open")) this.banner.showPopover();
    this.retry.onclick = () => {
      this.bannerText.textContent = "Connecting again…";
      now();
    };
  }

  up() {
    clearInterval(this.countdown);
    if (this.banner.matches(":popover-open")) this.banner.hidePopover();
  }

  /**
   * Says something to screen readers, at most once a second: of words about the same thing only the newest.
   * @param {string} words @param {string} [about]
   */
  say(words, about = "view") {
    const wait = this.spoken + LIVE_MS - performance.now();
    if (this.waiting.size === 0 && wait > 0) this.#later(() => this.#speak(), wait);
    this.waiting.set(about, words);
    if (wait <= 0) this.#speak();
  }

  /** Stops all timers, and listening to the document. */
  dispose() {
    document.removeEventListener("fullscreenchange", this.place);
    clearInterval(this.countdown);
    for (const timer of this.timers) clearTimeout(timer);
  }

  /** @param {() => void} work @param {number} ms */
  #later(work, ms) {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      work();
    }, ms);
    this.timers.add(timer);
  }

  #speak() {
    this.spoken = performance.now();
    this.live.textContent = [...this.waiting.values()].join(". ");
    this.waiting.clear();
  }
}
