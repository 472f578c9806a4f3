// The page in a frame whose page may not show plots: what it says is also in the console of the page that has the frame.

console.error(`bigviz: ${document.querySelector("main")?.textContent?.trim()}`);
