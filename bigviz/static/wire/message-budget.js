// What the server's limit of messages leaves the page to send: a bucket of tokens that fills as time goes by.

/** Share of the limit that is used: messages on their way when the server counts anew must fit too. */
const SHARE = 0.8;

export class MessageBudget {
  /** @param {() => number} now ms */
  constructor(now) {
    this.now = now;
    this.rate = 0;
    this.burst = 0;
    this.tokens = 0;
    this.filled = now();
  }

  /**
   * A server has just greeted: the bucket is full.
   * @param {import("./reassembler.js").Limits} limits
   */
  begin({ messages_per_second: rate, messages_burst: burst }) {
    this.rate = SHARE * rate;
    this.burst = SHARE * burst;
    this.tokens = this.burst;
  }

  /** Nothing may be sent until `begin`. */
  empty() {
    this.tokens = 0;
  }

  /** There is room for a message that can wait.  @returns {boolean} */
  get hasRoom() {
    return this.#fill() > this.burst / 4;
  }

  /** Takes one token for a message that is sent whatever the limit says. */
  spend() {
    this.tokens = this.#fill() - 1;
  }

  /** Takes one token if there is one.  @returns {boolean} */
  take() {
    if (this.#fill() < 1) return false;
    this.tokens -= 1;
    return true;
  }

  /** Until there is a token again.  @returns {number} ms, at least 1 */
  get wait() {
    return Math.max(1, ((1 - this.tokens) / this.rate) * 1000);
  }

  /** @returns {number} tokens now */
  #fill() {
    const now = this.now();
    this.tokens = Math.min(this.burst, this.tokens + ((now - this.filled) / 1000) * this.rate);
    this.filled = now;
    return this.tokens;
  }
}
