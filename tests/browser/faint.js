() => {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    pen.clearRect(0, 0, 1, 1);
    pen.fillStyle = colour;
    pen.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
  const luminance = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim();
    const element = walker.currentNode.parentElement;
    const box = element.getBoundingClientRect();
    const style = getComputedStyle(element);
    const visible = element.checkVisibility({ visibilityProperty: true, opacityProperty: true });
    // A slider's value stands above its knob, though it is inside it.
    const aside = "[disabled], [aria-disabled=true], [aria-hidden=true], [role=img], [data-testid=stSliderThumbValue]";
    const exempt = element.closest(`${aside}, script, style, noscript`);
    if (!text || !box.width || !visible || exempt || style.fontFamily.includes("Material")) continue;
    let background = [255, 255, 255, 1];
    let opacity = 1;
    const chain = [];
    for (let parent = element; parent; parent = parent.parentElement) chain.unshift(getComputedStyle(parent));
    for (const parent of chain) {
      background = over(rgba(parent.backgroundColor), background);
      opacity *= parseFloat(parent.opacity);
    }
    const [r, g, b, a] = rgba(style.color);
    const one = luminance(over([r, g, b, a * opacity], background));
    const other = luminance(background);
    const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    const size = parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && parseInt(style.fontWeight) >= 700);
    if (contrast < (isLarge ? 3 : 4.5)) found.push([contrast.toFixed(2), text.slice(0, 60)]);
  }
  return found;
}
