// Meshes in a WebGL canvas: turned with the mouse ("orbit"), or seen as a photograph's camera sees them ("photo").
// Coordinates are the camera's of OpenCV (x right, y down, z forward), metres. Drawn only when something changes.
import { THREE, OrbitControls } from "nicegui-scene";

const FLIP = new THREE.Matrix4().makeScale(1, -1, -1); // OpenCV's axes to WebGL's
const DRAG_PX = 4; // a press that moves farther turns the view and picks nothing
const TURN = 0.008; // radians a pixel, where a mesh is turned with the mouse
const WHEEL = 0.0004; // of the logarithm of its scale, or of its distance, for each unit of the wheel
const PATIENCE = 120; // milliseconds by which a view that is not over the photograph follows a mesh that is moved
const GLANCE = 200; // milliseconds for which an item must stand there before it counts as seen
const BLIND = 500; // likewise where nothing can be drawn
const OUTLINE = "#ff9d3c";
const WHEEL_REST = 250; // milliseconds after which turning the wheel has ended

async function unpacked(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  const data = await answer.arrayBuffer();
  const [v, f] = new Uint32Array(data, 0, 2);
  const verts = new Float32Array(data, 8, 3 * v);
  const faces = new Uint32Array(data, 8 + 12 * v, 3 * f);
  const labels = new Uint8Array(data, 8 + 12 * v + 12 * f, f);
  const rgb = new Uint8Array(data, 8 + 12 * v + 13 * f, 3 * v);
  return { verts, faces, labels, rgb };
}

// Smooth edges cost a software renderer as much again.
let software = null;
function drawnBySoftware() {
  if (software !== null) return software;
  const gl = document.createElement("canvas").getContext("webgl");
  const info = gl?.getExtension("WEBGL_debug_renderer_info");
  software = info ? /swiftshader|llvmpipe|software/i.test(gl.getParameter(info.UNMASKED_RENDERER_WEBGL)) : false;
  gl?.getExtension("WEBGL_lose_context")?.loseContext();
  return software;
}

// The mesh's colours are sRGB, as files and pickers mean them; three.js mixes in linear light.
const LINEAR = Uint16Array.from({ length: 256 }, (_, k) => {
  const x = k / 255;
  return 65535 * (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
});

// Ends of the edges at which faces of different labels meet.
function bordersOf(faces, labels) {
  const first = new Map();
  const edges = [];
  for (let k = 0; k < faces.length; k += 3)
    for (const [a, b] of [[0, 1], [1, 2], [2, 0]]) {
      const [low, high] = [faces[k + a], faces[k + b]].sort((x, y) => x - y);
      const key = low * 16777216 + high;
      const label = labels[k / 3];
      if (!first.has(key)) first.set(key, label);
      else if (first.get(key) !== label) edges.push(low, high);
    }
  return edges;
}

function edgesOf(faces) {
  const seen = new Set();
  const edges = [];
  for (let k = 0; k < faces.length; k += 3)
    for (const [a, b] of [[0, 1], [1, 2], [2, 0]]) {
      const [low, high] = [faces[k + a], faces[k + b]].sort((x, y) => x - y);
      const key = low * 16777216 + high;
      if (!seen.has(key)) {
        seen.add(key);
        edges.push(low, high);
      }
    }
  return edges;
}

export default {
  template: `
    <div style="position:relative;width:100%;height:100%;overflow:hidden;touch-action:none">
      <canvas style="position:absolute;inset:0;width:100%;height:100%"></canvas>
      <canvas style="position:absolute;inset:0;width:100%;height:100%"></canvas>
      <div style="position:absolute;inset:0;display:none;padding:1em"></div>
      <div style="position:absolute;display:none;pointer-events:none;padding:1px 8px;border-radius:4px;white-space:nowrap;
        background:#263238;color:white;font-size:13px"></div>
    </div>`,

  mounted() {
    const [under, over, message, tip] = this.$el.children;
    this.meshes = new Map();
    this.camera_kind = null;
    this.draws = 0;
    this.scene = new THREE.Scene();
    this.root = new THREE.Group();
    this.root.applyMatrix4(FLIP);
    this.scene.add(this.root, new THREE.AmbientLight(0xffffff, 1.6));
    this.camera = new THREE.PerspectiveCamera(35, 1, 0.01, 100);
    const light = new THREE.DirectionalLight(0xffffff, 1.8);
    light.position.set(0.4, 0.7, 1);
    this.camera.add(light);
    this.scene.add(this.camera);
    this.photo = under.getContext("2d");
    try {
      this.renderer = new THREE.WebGLRenderer({ canvas: over, antialias: !drawnBySoftware(), alpha: true });
    } catch {
      message.textContent = "This browser has no WebGL: the 3D view cannot be shown. The lists and buttons work without it.";
      message.style.display = "block";
      return;
    }
    this.controls = new OrbitControls(this.camera, over);
    this.controls.zoomToCursor = true;
    this.controls.addEventListener("change", () => this.draw());
    this.raycaster = new THREE.Raycaster();
    let pressed = null;
    over.addEventListener("pointerdown", (e) => (pressed = [e.clientX, e.clientY]));
    over.addEventListener("pointerup", (e) => {
      const still = pressed && Math.hypot(e.clientX - pressed[0], e.clientY - pressed[1]) < DRAG_PX;
      pressed = null;
      if (still && e.button === 0) this.$emit("pick", this.hit(e));
    });
    let last = "";
    const over_now = (hit, e) => {
      const text = hit && this.meshes.get(hit.name)?.names[hit.label];
      tip.style.display = text ? "block" : "none";
      if (text) {
        tip.textContent = text;
        const { left, top, width } = this.$el.getBoundingClientRect();
        tip.style.left = `${Math.min(e.clientX - left + 14, width - tip.offsetWidth - 4)}px`;
        tip.style.top = `${Math.max(e.clientY - top - 30, 0)}px`;
      }
      const now = hit ? `${hit.name}/${hit.label}` : "";
      if (now === last) return;
      last = now;
      this.glow(hit?.name, hit?.label);
      this.$emit("hover", hit);
    };
    over.addEventListener("pointermove", (e) => over_now(e.buttons ? null : this.hit(e), e));
    over.addEventListener("pointerleave", (e) => over_now(null, e));
    this.listen_for_drags(over);
    this.watcher = new ResizeObserver(() => this.draw());
    this.watcher.observe(this.$el);
  },

  beforeUnmount() {
    this.watcher?.disconnect();
    this.controls?.dispose();
    this.renderer?.dispose();
    this.renderer?.forceContextLoss();
  },

  methods: {
    // [{name, url, opacity, edges, solid, names, borders, rgb?: [r, g, b] in 0..1 for one colour, hover?, matrix?}]:
    // replaces everything shown. Once they have been drawn, "drawn" says so, with their number.
    async show(meshes, number) {
      this.fresh = null;
      if (!this.renderer) {
        setTimeout(() => this.$emit("drawn", number), BLIND);
        return;
      }
      const turn = (this.turn = (this.turn ?? 0) + 1);
      this.late = new Map(); // what is asked of meshes while they are being loaded
      this.grabbed = null;
      let loaded;
      try {
        loaded = await Promise.all(meshes.map(async (m) => [m, await unpacked(m.url)]));
      } catch (error) {
        if (turn === this.turn) {
          this.late = null;
          this.$emit("trouble", `a mesh could not be loaded: ${error.message}`);
        }
        return;
      }
      if (turn !== this.turn) return; // a later call has overtaken this one
      for (const { mesh } of this.meshes.values()) {
        for (const part of [mesh, ...mesh.children]) {
          part.geometry.dispose();
          part.material.dispose();
        }
        mesh.removeFromParent();
      }
      this.meshes.clear();
      for (const [m, data] of loaded) this.add({ ...m, ...this.late.get(m.name) }, data);
      this.late = null;
      this.fresh = number;
      this.draw();
      this.$el.dataset.shown = turn;
    },

    add(m, { verts, faces, labels, rgb }) {
      const geometry = new THREE.BufferGeometry();
      const material = { transparent: (m.opacity ?? 1) < 1, opacity: m.opacity ?? 1, vertexColors: true };
      let mesh;
      if (m.edges) {
        geometry.setAttribute("position", new THREE.BufferAttribute(verts, 3));
        geometry.setAttribute("color", new THREE.BufferAttribute(Uint16Array.from(rgb, (x) => LINEAR[x]), 3, true));
        geometry.setIndex(edgesOf(faces));
        mesh = new THREE.LineSegments(geometry, new THREE.LineBasicMaterial({ ...material, depthTest: false }));
      } else {
        // each face its own corners, so that a label may colour it sharply
        const [at, color] = [new Float32Array(3 * faces.length), new Uint16Array(3 * faces.length)];
        faces.forEach((v, k) => {
          at.set(verts.subarray(3 * v, 3 * v + 3), 3 * k);
          for (let c = 0; c < 3; c++) color[3 * k + c] = LINEAR[rgb[3 * v + c]];
        });
        const normals = new THREE.BufferGeometry();
        normals.setAttribute("position", new THREE.BufferAttribute(verts, 3));
        normals.setIndex(new THREE.BufferAttribute(faces, 1));
        normals.computeVertexNormals();
        const smooth = normals.attributes.normal.array;
        const normal = new Float32Array(3 * faces.length);
        faces.forEach((v, k) => normal.set(smooth.subarray(3 * v, 3 * v + 3), 3 * k));
        geometry.setAttribute("position", new THREE.BufferAttribute(at, 3));
        geometry.setAttribute("normal", new THREE.BufferAttribute(normal, 3));
        geometry.setAttribute("color", new THREE.BufferAttribute(color, 3, true));
        const behind = { polygonOffset: true, polygonOffsetFactor: 1, polygonOffsetUnits: 1 }; // its lines stay in front
        mesh = new THREE.Mesh(geometry, new THREE.MeshLambertMaterial({ ...material, ...behind, side: THREE.DoubleSide }));
        if (m.borders) {
          const lines = new THREE.BufferGeometry();
          lines.setAttribute("position", new THREE.BufferAttribute(verts, 3));
          lines.setIndex(bordersOf(faces, labels));
          mesh.add(new THREE.LineSegments(lines, new THREE.LineBasicMaterial({ color: 0, transparent: true, opacity: 0.35 })));
        }
      }
      if (m.rgb) {
        mesh.material.vertexColors = false;
        mesh.material.color.setRGB(...m.rgb, THREE.SRGBColorSpace);
      }
      mesh.material.visible = m.opacity !== 0;
      mesh.matrixAutoUpdate = false;
      if (m.matrix) mesh.matrix.set(...m.matrix);
      const { solid = true, names = [], hover = null, painted = {} } = m;
      const shown = { mesh, labels, rgb, faces, solid, names, hover, painted, glowing: null };
      this.meshes.set(m.name, shown);
      this.root.add(mesh);
      this.recolor(shown);
    },

    // Row-major 4x4 of one mesh.
    place(name, matrix) {
      this.late?.set(name, { ...this.late.get(name), matrix });
      const found = this.meshes.get(name);
      if (!found) return;
      found.mesh.matrix.set(...matrix);
      found.mesh.matrixWorldNeedsUpdate = true;
      this.draw(this.camera_kind === "orbit");
    },

    opacity(name, value) {
      this.late?.set(name, { ...this.late.get(name), opacity: value });
      const found = this.meshes.get(name);
      if (!found) return;
      Object.assign(found.mesh.material, { opacity: value, transparent: value < 1, visible: value > 0, needsUpdate: true });
      for (const lines of found.mesh.children) lines.visible = value > 0;
      this.draw();
    },

    // {label: [r, g, b] or [r, g, b, strength], in 0..1}: the faces with these labels in these colours, all others in
    // their own.
    paint(name, colors) {
      this.late?.set(name, { ...this.late.get(name), painted: colors });
      const found = this.meshes.get(name);
      if (!found) return;
      found.painted = colors;
      this.recolor(found);
    },

    // Lights up one label of one mesh, and no other.
    glow(name, label) {
      for (const [key, found] of this.meshes) {
        const now = key === name && found.hover ? label ?? null : null;
        if (now === found.glowing) continue;
        found.glowing = now;
        this.recolor(found);
      }
    },

    recolor({ mesh, faces, labels, rgb, painted, glowing, hover }) {
      if (!mesh.isMesh) return;
      const attribute = mesh.geometry.attributes.color;
      const layers = new Map(); // of each label: what lies over its own colour
      faces.forEach((v, k) => {
        const label = labels[Math.floor(k / 3)];
        if (!layers.has(label)) layers.set(label, [painted[label], label === glowing ? hover : null].filter(Boolean));
        for (let c = 0; c < 3; c++) {
          let value = rgb[3 * v + c];
          for (const layer of layers.get(label)) value += (255 * layer[c] - value) * (layer[3] ?? 1);
          attribute.array[3 * k + c] = LINEAR[Math.round(value)];
        }
      });
      attribute.needsUpdate = true;
      this.draw();
    },

    // Orbit: {eye, target, up} in OpenCV's axes, vertical opening angle fov.
    orbit({ eye, target, up = [0, -1, 0], fov = 35 }) {
      if (!this.renderer) return;
      this.camera_kind = "orbit";
      this.photo.canvas.style.visibility = "hidden";
      const flipped = (p) => new THREE.Vector3(p[0], -p[1], -p[2]);
      this.camera.fov = fov;
      this.camera.up.copy(flipped(up));
      this.camera.position.copy(flipped(eye));
      this.controls.enabled = true;
      this.controls.target.copy(flipped(target));
      this.controls.update();
      this.draw();
    },

    // Over the photograph: lets the mouse move (drag), turn (shift and drag), scale (wheel) and push away (shift and wheel)
    // a mesh whose centre is here. It follows at once; at the end one "drag" event says by how much.
    grab(name, centre) {
      this.grabbed = { name, centre };
    },

    listen_for_drags(over) {
      let from = null;
      let wheel = null;
      const free = () => this.camera_kind === "photo" && this.grabbed && this.meshes.has(this.grabbed.name);
      const preview = (drag, start) => {
        const { mesh } = this.meshes.get(this.grabbed.name);
        mesh.matrix.multiplyMatrices(this.change(drag), start);
        mesh.matrixWorldNeedsUpdate = true;
        this.draw();
      };
      const start_of = () => this.meshes.get(this.grabbed.name).mesh.matrix.clone();
      const drag_of = (e) => {
        const [dx, dy] = [e.clientX - from.at[0], e.clientY - from.at[1]];
        if (from.turns) return { kind: "turn", by: [dy * TURN, -dx * TURN, 0] };
        const [x0, , x1] = this.whole_box(this.$el.clientWidth, this.$el.clientHeight);
        const metres = ((x1 - x0) / this.$el.clientWidth) * this.grabbed.centre[2];
        return { kind: "move", by: [(dx * metres) / this.focal[0], (dy * metres) / this.focal[1], 0] };
      };
      over.addEventListener("pointerdown", (e) => {
        if (e.button !== 0 || !free()) return;
        from = { at: [e.clientX, e.clientY], turns: e.shiftKey, start: start_of() };
        over.setPointerCapture(e.pointerId);
      });
      over.addEventListener("pointermove", (e) => {
        if (from && free()) preview(drag_of(e), from.start);
      });
      over.addEventListener("pointerup", (e) => {
        if (from && free() && (e.clientX !== from.at[0] || e.clientY !== from.at[1])) this.$emit("drag", drag_of(e));
        from = null;
      });
      over.addEventListener("pointercancel", () => {
        if (from && free()) preview({ kind: "move", by: [0, 0, 0] }, from.start);
        from = null;
      });
      over.addEventListener("wheel", (e) => {
        if (!free() || from) return;
        e.preventDefault();
        const turned = e.deltaY || e.deltaX; // with shift browsers turn the wheel sideways
        wheel ??= { sum: 0, kind: e.shiftKey ? "away" : "scale", start: start_of(), turn: this.turn };
        wheel.sum += wheel.kind === "scale" ? -turned * WHEEL : turned * WHEEL;
        const drag = { kind: wheel.kind, by: [wheel.sum, 0, 0] };
        preview(drag, wheel.start);
        clearTimeout(wheel.timer);
        wheel.timer = setTimeout(() => {
          if (wheel.turn === this.turn) this.$emit("drag", drag);
          wheel = null;
        }, WHEEL_REST);
      }, { passive: false });
    },

    // What a drag does to points in the camera's frame.
    change({ kind, by }) {
      const centre = new THREE.Vector3(...this.grabbed.centre);
      const about = (m) => new THREE.Matrix4().makeTranslation(centre).multiply(m).multiply(
        new THREE.Matrix4().makeTranslation(centre.clone().negate()));
      const vector = new THREE.Vector3(...by);
      if (kind === "move") return new THREE.Matrix4().makeTranslation(vector);
      if (kind === "turn")
        return about(new THREE.Matrix4().makeRotationAxis(vector.clone().normalize(), vector.length()));
      if (kind === "scale") return about(new THREE.Matrix4().makeScale(...Array(3).fill(Math.exp(by[0]))));
      return new THREE.Matrix4().makeTranslation(centre.multiplyScalar(Math.exp(by[0]) - 1)); // away
    },

    // Photo: {focal: [x, y], center: [x, y], box: [x0, y0, x1, y1] of the photograph to show (pixels), url of the photograph}.
    async photograph({ focal, center, box, url }) {
      if (!this.renderer) return;
      this.camera_kind = "photo";
      this.controls.enabled = false;
      Object.assign(this, { focal, center, box });
      this.photo.canvas.style.visibility = "visible";
      if (url && url !== this.image?.dataset.url) {
        const image = new Image();
        image.dataset.url = url;
        image.src = url;
        this.image = image;
        try {
          await image.decode();
        } catch {
          this.$emit("trouble", "the photograph could not be loaded");
          return;
        }
      }
      this.draw();
    },

    // A line over the photograph: an SVG path in its pixels; empty for none.
    outline(path) {
      this.traced = path;
      this.draw();
    },

    // In the next frame; a patient view's meshes may lag, so that the views that are not patient come first.
    draw(patient = false) {
      if (!this.renderer || this.waiting) return;
      this.waiting = true;
      const soon = () => requestAnimationFrame(() => {
        this.waiting = false;
        const [w, h] = [this.$el.clientWidth, this.$el.clientHeight];
        if (!w || !h || !this.camera_kind) return;
        const ratio = Math.min(window.devicePixelRatio, 2);
        const size = `${w} ${h} ${ratio}`; // setting a size makes new buffers, also when it is the old one
        if (size !== this.size) {
          this.size = size;
          this.renderer.setPixelRatio(ratio);
          this.renderer.setSize(w, h, false);
        }
        if (this.camera_kind === "photo") this.place_photo(w, h, ratio);
        else {
          this.camera.aspect = w / h;
          this.camera.updateProjectionMatrix();
        }
        this.renderer.render(this.scene, this.camera);
        this.draws += 1;
        this.$el.dataset.draws = this.draws; // tests wait for it
        if (this.fresh == null || (this.camera_kind === "photo" && !this.image?.naturalWidth)) return;
        const number = this.fresh;
        this.fresh = null;
        setTimeout(() => this.$emit("drawn", number), GLANCE);
      });
      if (patient) setTimeout(soon, PATIENCE);
      else soon();
    },

    place_photo(w, h, ratio) {
      const [x0, y0, x1, y1] = this.whole_box(w, h);
      const [fx, fy] = this.focal;
      const [cx, cy] = this.center;
      const near = 0.01;
      this.camera.position.set(0, 0, 0);
      this.camera.up.set(0, 1, 0);
      this.camera.lookAt(0, 0, -1);
      this.camera.projectionMatrix.makePerspective(
        ((x0 - cx) / fx) * near, ((x1 - cx) / fx) * near, -((y0 - cy) / fy) * near, -((y1 - cy) / fy) * near, near, 100,
      );
      this.camera.projectionMatrixInverse.copy(this.camera.projectionMatrix).invert();
      const canvas = this.photo.canvas;
      const drawn = [x0, y0, x1, y1, w, h, ratio, this.image?.dataset.url, this.image?.complete, this.traced].join(" ");
      if (drawn === this.drawn) return; // the photograph stands there already
      this.drawn = drawn;
      [canvas.width, canvas.height] = [Math.round(w * ratio), Math.round(h * ratio)];
      this.photo.fillStyle = "#1d2127";
      this.photo.fillRect(0, 0, canvas.width, canvas.height);
      if (!this.image?.complete) return;
      const scale = canvas.width / (x1 - x0);
      this.photo.setTransform(scale, 0, 0, scale, -x0 * scale, -y0 * scale);
      this.photo.drawImage(this.image, 0, 0);
      if (this.traced) {
        this.photo.strokeStyle = OUTLINE;
        this.photo.lineWidth = (1.5 * ratio) / scale; // as thin however near
        this.photo.stroke(new Path2D(this.traced));
      }
      this.photo.setTransform(1, 0, 0, 1, 0, 0);
    },

    // The box, widened to the shape of the canvas: pixels stay square.
    whole_box(w, h) {
      const [x0, y0, x1, y1] = this.box;
      const scale = Math.max((x1 - x0) / w, (y1 - y0) / h);
      const [mx, my] = [(x0 + x1) / 2, (y0 + y1) / 2];
      return [mx - (w / 2) * scale, my - (h / 2) * scale, mx + (w / 2) * scale, my + (h / 2) * scale];
    },

    hit(event) {
      const { left, top, width, height } = this.$el.getBoundingClientRect();
      const at = { x: ((event.clientX - left) / width) * 2 - 1, y: 1 - ((event.clientY - top) / height) * 2 };
      this.raycaster.setFromCamera(at, this.camera);
      const solid = [...this.meshes].filter(([, { mesh, solid }]) => solid && mesh.isMesh && mesh.material.visible);
      const [first] = this.raycaster.intersectObjects(solid.map(([, { mesh }]) => mesh), false);
      if (!first) return null;
      const [name, { labels }] = solid.find(([, { mesh }]) => mesh === first.object);
      return { name, face: first.faceIndex, label: labels[first.faceIndex], shift: event.shiftKey };
    },

    // Where a point (OpenCV's axes) stands on the page now, in its pixels.
    pixel([x, y, z]) {
      const at = new THREE.Vector3(x, -y, -z).project(this.camera);
      const { left, top, width, height } = this.$el.getBoundingClientRect();
      return [left + ((at.x + 1) / 2) * width, top + ((1 - at.y) / 2) * height];
    },
  },
};
