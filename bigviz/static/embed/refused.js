// In a frame of a page that may not show plots: what the frame says is also in the console of that page.

console.error(`bigviz: ${document.querySelector("main")?.textContent?.trim()}`);
