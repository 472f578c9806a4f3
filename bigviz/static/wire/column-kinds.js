// Kinds of columns, as `hello` and `layer` answers name them.

/** Kinds whose axis numbers are nanoseconds.  @type {ReadonlySet<string>} */
export const TIMES = new Set(["timestamp", "date", "time", "duration"]);

/** Kinds of real numbers: those that may go on a log axis.  @type {ReadonlySet<string>} */
export const NUMBERS = new Set(["integer", "float", "decimal"]);
