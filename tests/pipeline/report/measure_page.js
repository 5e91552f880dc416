// Returns what a reader would stumble over in the page as it is shown, as lists of descriptions.
(() => {
  document.querySelectorAll("details").forEach((element) => { element.open = true; });

  const parse = (colour) => {
    const [r, g, b, a = 1] = colour.match(/[\d.]+/g).map(Number);
    return [r, g, b, a];
  };
  const over = (top, below) => below.map((value, i) => top[i] * top[3] + value * (1 - top[3]));
  // WCAG 2.2, https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((value) => value / 255)
      .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ancestors = (element) => {
    const found = [];
    for (let next = element; next; next = next.parentElement) found.push(next);
    return found;
  };
  const ground = (element) => ancestors(element).reverse()
    .map((other) => parse(getComputedStyle(other).backgroundColor))
    .reduce((below, top) => over(top, below), [255, 255, 255]);

  const faint = [], outside = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.data.trim();
    const element = walker.currentNode.parentElement;
    const range = document.createRange();
    range.selectNodeContents(walker.currentNode);
    const box = range.getBoundingClientRect();
    if (!text || !box.width) continue;

    const style = getComputedStyle(element);
    const below = ground(element);
    const ink = over(parse(element.closest("svg") ? style.fill : style.color), below);
    const [dark, light] = [luminance(ink), luminance(below)].sort((a, b) => a - b);
    const ratio = (light + 0.05) / (dark + 0.05);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    if (ratio < (large ? 3 : 4.5)) faint.push(`${text}: ${ratio.toFixed(2)}`);

    for (const other of ancestors(element)) {
      const { overflowX, display } = getComputedStyle(other);
      if (overflowX !== "visible") break;
      const around = other.getBoundingClientRect();
      if (display !== "inline" && (box.left < around.left - 1 || box.right > around.right + 1)) {
        outside.push(`${text}: out of ${other.tagName} ${other.className}`);
        break;
      }
    }
  }
  document.querySelectorAll(".stages").forEach((stages) => {
    if (stages.scrollWidth > stages.clientWidth) outside.push("stages: out of their frame");
  });
  const steps = [...document.querySelectorAll(".step")].map((step) => step.getBoundingClientRect());
  steps.forEach((one, i) => steps.slice(0, i).forEach((other) => {
    if (one.left < other.right && other.left < one.right && one.top < other.bottom
      && other.top < one.bottom) outside.push("a step: over another");
  }));
  return {
    width: document.documentElement.scrollWidth,
    ground: luminance(ground(document.body)),
    headings: [...document.querySelectorAll("h2")].filter((h) => h.offsetHeight).map((h) => h.textContent),
    broken_links: [...document.querySelectorAll("nav a")]
      .filter((a) => !document.querySelector(a.getAttribute("href"))).map((a) => a.textContent),
    empty_images: [...document.images].filter((image) => !image.naturalWidth).map((image) => image.alt),
    faint,
    outside,
  };
})();
