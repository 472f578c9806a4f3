// Runs before the first paint, so that an explicit theme does not flash the other one; everything else is in the
// modules.
try {
  const theme = localStorage.getItem("bigviz:theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Storage may be forbidden; then the system's choice holds.
}
