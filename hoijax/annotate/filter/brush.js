// The photograph with the human and both masks over it, and brushes that correct the masks: also beyond the image's edges.
// Points are in the image's pixels. What a stroke covers is ruled in masks.py; `paint` below is its twin, pixel by pixel.

const GRID = 8; // points and radii are multiples of 1 / GRID pixels
const APART_PX = 0.5; // points nearer than this to the one before are left out
const MOST_POINTS = 2000;
const LARGEST_RADIUS = 2048;
const NAMES = ["human", "object"];
const COLORS = { human: [52, 132, 255], object: [255, 92, 40] };
const TINT = 0.4;
const EDGE_PX = 2;
const HELP = "Wheel: zoom. Right button, middle button or space: move. Shift and wheel: size of the brush. q held: bare photograph.";
const BARE = "q"; // while it is held, nothing is drawn over the photograph
const LEAVES_STROKE = [" ", BARE, "Shift", "Control", "Alt", "AltGraph", "Meta", "CapsLock"]; // no decision of any kind
const LATE_MS = 700; // a stroke that is not kept after so long is spoken of

const snapped = (x) => Math.round(x * GRID) / GRID;
const within = (x, low, high) => Math.min(Math.max(x, low), high);

async function fetched(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  return answer;
}

async function picture(url) {
  const image = new Image();
  image.src = url;
  await image.decode();
  return image;
}

// Bits, rows one after another without gaps, the first in the highest place of a byte.
async function unpacked(url, count) {
  const bytes = new Uint8Array(await (await fetched(url)).arrayBuffer());
  const mask = new Uint8Array(count);
  for (let k = 0; k < count; k++) mask[k] = (bytes[k >> 3] >> (7 - (k & 7))) & 1;
  return mask;
}

// RGBA as the little-endian number that an ImageData's words hold.
const packed_color = ([r, g, b], alpha) => ((Math.round(alpha * 255) << 24) | (b << 16) | (g << 8) | r) >>> 0;

export default {
  template: `
    <div style="position:relative;width:100%;height:100%;overflow:hidden;touch-action:none;user-select:none;background:#15181d">
      <canvas style="position:absolute;inset:0;width:100%;height:100%"></canvas>
      <canvas style="position:absolute;inset:0;width:100%;height:100%"></canvas>
      <div style="position:absolute;border-radius:50%;border:1.5px solid white;box-shadow:0 0 0 1px black;pointer-events:none;display:none"></div>
      <div style="position:absolute;left:8px;bottom:6px;color:white;font-size:12px;text-shadow:0 0 3px black;pointer-events:none"></div>
    </div>`,

  mounted() {
    [this.under, this.over, this.ring, this.said] = this.$el.children;
    this.$el.brush = this; // tests ask it
    this.view = { scale: 1, x: 0, y: 0 }; // image to canvas: scale * (x, y) + (view.x, view.y), CSS pixels
    Object.assign(this, { kind: "move", erase: false, brush_px: 14, alpha: 0.5, layer: "tint", wide: false, space: false, bare: false });
    Object.assign(this, { kept: [], pending: [], left: [], stroke: null, pan: null, item: null, tokens: 0, slowest: 0, draws: 0 });
    const canvas = this.over;
    canvas.addEventListener("pointerdown", (e) => this.press(e));
    canvas.addEventListener("pointermove", (e) => this.move(e));
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) canvas.addEventListener(end, (e) => this.release(e));
    canvas.addEventListener("pointerleave", () => (this.ring.style.display = "none"));
    canvas.addEventListener("contextmenu", (e) => e.preventDefault());
    canvas.addEventListener("auxclick", (e) => e.preventDefault());
    canvas.addEventListener("wheel", (e) => this.wheel(e), { passive: false });
    this.typed = (e) => {
      if (!e.key) return; // a browser that fills in a form
      const down = e.type === "keydown";
      // What a key does comes after the stroke that is held: it is sent first, for the item on which it was painted.
      if (down && this.stroke && !LEAVES_STROKE.includes(e.key)) this.finish();
      const typing = ["INPUT", "TEXTAREA"].includes(document.activeElement?.tagName);
      if (e.key.toLowerCase() === BARE && !(down && (typing || e.ctrlKey || e.metaKey || e.altKey))) this.lay_bare(down);
      if (e.key !== " " || typing) return;
      this.space = down;
      e.preventDefault();
      this.show_ring(null);
    };
    this.away = () => {
      this.space = false; // the key that is let go elsewhere is not heard here
      this.lay_bare(false);
    };
    for (const type of ["keydown", "keyup"]) window.addEventListener(type, this.typed, true); // before the page's own keys
    window.addEventListener("blur", this.away);
    this.watcher = new ResizeObserver(() => (this.moved ? this.draw() : this.fit(this.wide)));
    this.watcher.observe(this.$el);
  },

  beforeUnmount() {
    this.watcher?.disconnect();
    for (const type of ["keydown", "keyup"]) window.removeEventListener(type, this.typed, true);
    window.removeEventListener("blur", this.away);
  },

  methods: {
    // Another item: {turn, name, photo, human, size: [h, w], margin, masks: {human, object}}, addresses of all that is shown.
    async open(item) {
      if (this.stroke) this.finish(); // too late to be kept: the server says so
      this.left.push(...this.pending); // the server has yet to say what became of them
      this.turn = item.turn;
      Object.assign(this, { item: null, name: item.name, kept: [], pending: [], wanted: [] });
      this.tell();
      const [h, w] = item.size;
      let loaded;
      try {
        loaded = await Promise.all([
          picture(item.photo), picture(item.human), ...NAMES.map((name) => unpacked(item.masks[name], h * w)),
        ]);
      } catch (error) {
        if (item.turn === this.turn) this.$emit("trouble", `the photograph could not be loaded: ${error.message}`);
        return;
      }
      if (item.turn !== this.turn) return; // a later item has overtaken this one
      const [photo, human, ...masks] = loaded;
      const small = w * h > 4e6 ? await createImageBitmap(photo, { resizeWidth: Math.round(w / 4), resizeQuality: "medium" }) : null;
      if (item.turn !== this.turn) return;
      const m = item.margin;
      Object.assign(this, { item, photo, human, small, h, w, m, columns: w + 2 * m, rows: h + 2 * m });
      this.given = Object.fromEntries(NAMES.map((name, k) => [name, masks[k]]));
      this.masks = Object.fromEntries(NAMES.map((name) => [name, new Uint8Array(this.columns * this.rows)]));
      this.follow();
      this.rebuild();
      this.fit(false);
      this.$el.dataset.turn = item.turn; // tests wait for it
    },

    // The strokes that stand, in order: {id} where this page has it, {id, token} where it made it, else all of it.
    strokes(list) {
      this.wanted = list;
      if (this.item) this.follow() && this.rebuild();
    },

    // Takes over what is wanted; whether the masks must be painted anew.
    follow() {
      const known = new Map(this.kept.map((one) => [one.id, one]));
      const made = new Map(this.pending.map((one) => [one.token, one]));
      const before = this.kept;
      this.kept = this.wanted.map((one) => (one.points ? one : known.get(one.id) ?? { ...made.get(one.token), id: one.id }));
      if (this.kept.some((one) => !one.points)) {
        this.kept = before;
        this.$emit("lost", this.turn); // the server sends everything again
        return false;
      }
      const landed = new Set(this.wanted.map((one) => one.token));
      this.pending = this.pending.filter((one) => !landed.has(one.token));
      this.tell();
      const same = before.every((one, k) => this.kept[k]?.id === one.id);
      return !(same && this.wanted.slice(before.length).every((one) => one.token && !one.points));
    },

    // A stroke that the server has refused, and said so.
    drop(token) {
      for (const list of ["pending", "left"]) this[list] = this[list].filter((one) => one.token !== token);
      this.tell();
      if (this.item) this.rebuild();
    },

    rebuild() {
      for (const name of NAMES) {
        const mask = this.masks[name].fill(0);
        for (let y = 0; y < this.h; y++)
          mask.set(this.given[name].subarray(y * this.w, (y + 1) * this.w), (y + this.m) * this.columns + this.m);
      }
      for (const one of [...this.kept, ...this.pending, ...(this.stroke ? [this.stroke] : [])])
        for (let k = 0; k < one.points.length; k++) this.paint(one, Math.max(k - 1, 0), k, one.points.length > 1 && k === 0);
      this.draw_masks();
    },

    // The pixels whose centres are within the radius of the segment between two points of a stroke.
    paint(stroke, i, j, skip = false) {
      if (skip) return;
      const [[ax, ay], [bx, by]] = [stroke.points[i], stroke.points[j]];
      const { radius } = stroke;
      const [mask, value, m] = [this.masks[stroke.mask], stroke.erase ? 0 : 1, this.m];
      const left = Math.max(0, Math.floor(Math.min(ax, bx) - radius - 1) + m);
      const right = Math.min(this.columns, Math.ceil(Math.max(ax, bx) + radius + 1) + m);
      const top = Math.max(0, Math.floor(Math.min(ay, by) - radius - 1) + m);
      const bottom = Math.min(this.rows, Math.ceil(Math.max(ay, by) + radius + 1) + m);
      const [dx, dy, square] = [bx - ax, by - ay, radius * radius];
      const length = dx * dx + dy * dy;
      for (let row = top; row < bottom; row++) {
        const y = row - m + 0.5;
        const py = y - ay;
        for (let column = left; column < right; column++) {
          const x = column - m + 0.5;
          const px = x - ax;
          const along = px * dx + py * dy;
          let near;
          if (along <= 0) near = px * px + py * py <= square;
          else if (along >= length) near = (x - bx) * (x - bx) + (y - by) * (y - by) <= square;
          else {
            const cross = px * dy - py * dx;
            near = cross * cross <= square * length;
          }
          if (near) mask[row * this.columns + column] = value;
        }
      }
    },

    // "move", "object" or "human": what the left button does.
    mode(kind) {
      this.kind = kind;
      this.show_ring(null);
    },

    eraser(on) {
      this.erase = on;
      this.show_ring(null);
    },

    resize(factor) {
      this.brush_px = within(this.brush_px * factor, 1, 300);
      this.show_ring(null);
    },

    opacity(value) {
      this.alpha = within(value, 0, 1);
      this.draw_photo();
    },

    // The photograph alone, whatever the slider and the layers say.
    lay_bare(on) {
      if (this.bare === on) return;
      this.bare = on;
      this.draw();
    },

    // "tint", "outline" or "none".
    layers(kind) {
      this.layer = kind;
      this.draw_masks();
    },

    // The whole image in the canvas, or with its margin all around.
    fit(wide) {
      this.wide = wide;
      this.moved = false;
      const [W, H] = [this.$el.clientWidth, this.$el.clientHeight];
      if (!this.item || !W || !H) return;
      const m = wide ? this.m : 0.02 * Math.max(this.w, this.h);
      const scale = Math.min(W / (this.w + 2 * m), H / (this.h + 2 * m));
      this.view = { scale, x: (W - scale * this.w) / 2, y: (H - scale * this.h) / 2 };
      this.draw();
    },

    fit_other() {
      this.fit(!this.moved && !this.wide);
    },

    at(e) {
      const { left, top } = this.$el.getBoundingClientRect();
      return [e.clientX - left, e.clientY - top];
    },

    point(e) {
      const [x, y] = this.at(e);
      return [snapped((x - this.view.x) / this.view.scale), snapped((y - this.view.y) / this.view.scale)];
    },

    radius() {
      return within(snapped(this.brush_px / this.view.scale), 0.5, LARGEST_RADIUS);
    },

    press(e) {
      if (!this.item || this.stroke || this.pan) return;
      e.preventDefault();
      document.activeElement?.blur(); // keys are the page's again
      try {
        this.over.setPointerCapture(e.pointerId); // what leaves the canvas, or the window, still ends here
      } catch {} // no such pointer: a made-up event
      if (e.button !== 0 || this.space || this.kind === "move") this.pan = { id: e.pointerId, from: this.at(e) };
      else this.begin(e.pointerId, this.point(e));
    },

    begin(id, point) {
      this.stroke = { pointer: id, mask: this.kind, erase: this.erase, radius: this.radius(), points: [point] };
      this.paint(this.stroke, 0, 0);
      this.draw_masks();
    },

    move(e) {
      this.show_ring(e);
      if (this.pan?.id === e.pointerId) {
        const [x, y] = this.at(e);
        this.view.x += x - this.pan.from[0];
        this.view.y += y - this.pan.from[1];
        this.pan.from = [x, y];
        this.moved = true;
        this.draw();
      } else if (this.stroke?.pointer === e.pointerId) {
        const every = e.getCoalescedEvents?.() ?? [];
        for (const one of every.length ? every : [e]) this.extend(this.point(one));
        this.draw_masks();
      }
    },

    extend(point) {
      const { points, pointer } = this.stroke;
      const last = points[points.length - 1];
      if (Math.hypot(point[0] - last[0], point[1] - last[1]) < APART_PX) return;
      points.push(point);
      this.paint(this.stroke, points.length - 2, points.length - 1);
      if (points.length < MOST_POINTS) return;
      this.finish();
      this.begin(pointer, point);
    },

    release(e) {
      if (this.pan?.id === e.pointerId) this.pan = null;
      if (this.stroke?.pointer !== e.pointerId) return;
      if (e.type === "pointerup") this.extend(this.point(e));
      this.finish();
      this.draw_masks();
    },

    // Sends the stroke to be kept; until then it is pending.
    finish() {
      const { mask, erase, radius, points } = this.stroke;
      this.stroke = null;
      const one = { token: `${this.turn}.${++this.tokens}`, mask, erase, radius, points };
      this.pending.push(one);
      this.tell();
      this.$emit("stroke", { turn: this.turn, item: this.name, ...one });
    },

    tell() {
      const count = this.pending.length + this.left.length;
      Object.assign(this.$el.dataset, { unsaved: count, strokes: this.kept.length });
      clearTimeout(this.late);
      if (!count) this.said.textContent = HELP;
      else this.late = setTimeout(() => (this.said.textContent = `${count} strokes are not kept yet`), LATE_MS);
    },

    wheel(e) {
      e.preventDefault();
      if (!this.item) return;
      const factor = Math.exp(-within(e.deltaY, -240, 240) * 0.0016);
      if (e.shiftKey) return this.resize(factor);
      const [x, y] = this.at(e);
      const scale = within(this.view.scale * factor, 0.02, 64);
      const grown = scale / this.view.scale;
      this.view = { scale, x: x - grown * (x - this.view.x), y: y - grown * (y - this.view.y) };
      this.moved = true;
      this.show_ring(e);
      this.draw();
    },

    show_ring(e) {
      if (e) this.mouse = this.at(e);
      const painting = this.kind !== "move" && !this.space;
      this.over.style.cursor = painting ? "none" : this.pan ? "grabbing" : "grab";
      this.ring.style.display = painting && this.mouse ? "block" : "none";
      if (!painting || !this.mouse) return;
      const r = this.radius() * this.view.scale;
      const [red, green, blue] = COLORS[this.kind];
      Object.assign(this.ring.style, {
        left: `${this.mouse[0] - r}px`, top: `${this.mouse[1] - r}px`, width: `${2 * r}px`, height: `${2 * r}px`,
        borderColor: `rgb(${red}, ${green}, ${blue})`, borderStyle: this.erase ? "dashed" : "solid",
      });
    },

    draw() {
      this.draw_photo();
      this.draw_masks();
    },

    // Once a frame, however often it is asked for.
    draw_photo() {
      this.photo_due = true;
      this.frame();
    },

    draw_masks() {
      this.masks_due = true;
      this.frame();
    },

    frame() {
      if (this.waiting) return;
      this.waiting = true;
      requestAnimationFrame(() => {
        this.waiting = false;
        const [W, H] = [this.$el.clientWidth, this.$el.clientHeight];
        if (!this.item || !W || !H) return;
        const begun = performance.now();
        if (this.photo_due) this.drawn_photo(W, H);
        if (this.masks_due) this.drawn_masks(W, H);
        this.photo_due = this.masks_due = false;
        this.slowest = Math.max(this.slowest, performance.now() - begun);
        this.draws += 1;
        const { draws, alpha, layer, bare } = this;
        Object.assign(this.$el.dataset, { draws, alpha, layer, bare }); // what is drawn: tests wait for it
      });
    },

    drawn_photo(W, H) {
      const ratio = Math.min(window.devicePixelRatio, 2);
      const { scale, x, y } = this.view;
      [this.under.width, this.under.height] = [Math.round(W * ratio), Math.round(H * ratio)];
      const pen = this.under.getContext("2d");
      pen.setTransform(scale * ratio, 0, 0, scale * ratio, x * ratio, y * ratio);
      pen.fillStyle = "#2b3038";
      pen.fillRect(-this.m, -this.m, this.columns, this.rows);
      pen.imageSmoothingEnabled = scale * ratio < 4;
      const enough = this.small && this.small.width >= scale * ratio * this.w;
      pen.drawImage(enough ? this.small : this.photo, 0, 0, this.w, this.h);
      pen.globalAlpha = this.alpha;
      if (this.alpha > 0 && !this.bare) pen.drawImage(this.human, 0, 0, this.w, this.h);
      pen.globalAlpha = 1;
      pen.strokeStyle = "#8b95a5";
      pen.lineWidth = 1 / scale;
      pen.strokeRect(0, 0, this.w, this.h);
    },

    // Only what the canvas shows is drawn, however large the photograph is.
    drawn_masks(W, H) {
      if (this.over.width !== W || this.over.height !== H) {
        [this.over.width, this.over.height] = [W, H];
        this.data = new ImageData(W, H);
        this.bits = new Uint8Array(W * H);
      }
      const pixels = new Uint32Array(this.data.data.buffer).fill(0);
      if (this.layer !== "none" && !this.bare) {
        this.sample(W, H);
        this.tinted(W, H, pixels);
      }
      this.over.getContext("2d").putImageData(this.data, 0, 0);
    },

    // Which masks each pixel of the canvas is in: 1 the human's, 2 the object's.
    sample(W, H) {
      const { scale, x, y } = this.view;
      const { bits, columns, rows, m } = this;
      const { human, object } = this.masks;
      const column = Int32Array.from({ length: W }, (_, k) => Math.floor((k + 0.5 - x) / scale) + m);
      bits.fill(0);
      for (let k = 0; k < H; k++) {
        const row = Math.floor((k + 0.5 - y) / scale) + m;
        if (row < 0 || row >= rows) continue;
        for (let c = 0, at = k * W; c < W; c++, at++) {
          const place = column[c];
          if (place < 0 || place >= columns) continue;
          bits[at] = human[row * columns + place] | (object[row * columns + place] << 1);
        }
      }
    },

    tinted(W, H, pixels) {
      const { bits } = this;
      const tint = this.layer === "tint" ? TINT : 0;
      const fill = [0, ...NAMES.map((name) => packed_color(COLORS[name], tint)), packed_color([208, 70, 190], tint)];
      const edge = [0, ...NAMES.map((name) => packed_color(COLORS[name], 1)), packed_color(COLORS.object, 1)];
      for (let k = 0, at = 0; k < H; k++)
        for (let c = 0; c < W; c++, at++) {
          const here = bits[at];
          const beside = c >= EDGE_PX ? bits[at - EDGE_PX] : here;
          const above = k >= EDGE_PX ? bits[at - EDGE_PX * W] : here;
          const change = (here ^ beside) | (here ^ above);
          if (change) pixels[at] = edge[change];
          else if (here && tint) pixels[at] = fill[here];
        }
    },

    // For tests: a mask as it stands here, bits in base 64; and how the drawing went.
    packed(name) {
      const mask = this.masks[name];
      const bytes = new Uint8Array(Math.ceil(mask.length / 8));
      mask.forEach((value, k) => (bytes[k >> 3] |= value << (7 - (k & 7))));
      let text = "";
      for (let k = 0; k < bytes.length; k += 8192) text += String.fromCharCode(...bytes.subarray(k, k + 8192));
      return btoa(text);
    },

    measured() {
      const found = { slowest: this.slowest, draws: this.draws, view: { ...this.view }, brush: this.radius() };
      this.slowest = 0;
      return found;
    },
  },
};
