// Two renderers: WebGL 2, and 2D canvas where WebGL is missing.

const HIDDEN = 0, GHOST = 1, SHOWN = 2, CHOSEN = 3;

const VERTEX = `#version 300 es
in vec2 place; in float colour; in float state;
uniform vec2 centre; uniform vec2 scale; uniform float size; uniform float pass_; uniform bool choosing;
uniform sampler2D palette; uniform vec3 muted;
out vec4 tint; out float diameter;
void main() {
  float ghost = state < 1.5 ? 1.0 : 0.0;
  bool grey = ghost > 0.5 || (choosing && state < 2.5);
  bool mine = pass_ < 0.5 ? grey : !grey;
  if (state < 0.5 || !mine) { gl_Position = vec4(2.0, 2.0, 2.0, 1.0); gl_PointSize = 0.0; return; }
  gl_Position = vec4((place - centre) * scale, 0.0, 1.0);
  diameter = ghost > 0.5 ? size * 0.75 : size;
  gl_PointSize = diameter;
  vec3 own = texelFetch(palette, ivec2(int(colour + 0.5), 0), 0).rgb;
  tint = grey ? vec4(muted, ghost > 0.5 ? 0.22 : 0.45) : vec4(own, 0.85);
}`;

const FRAGMENT = `#version 300 es
precision mediump float;
in vec4 tint; in float diameter; out vec4 result;
uniform vec3 paper;
void main() {
  float r = length(gl_PointCoord - 0.5) * diameter;
  float edge = diameter * 0.5;
  float alpha = tint.a * (1.0 - smoothstep(edge - 1.0, edge, r));
  if (alpha < 0.01) discard;
  float rim = diameter > 7.0 ? smoothstep(edge - 2.2, edge - 1.2, r) * 0.75 : 0.0;
  vec3 rgb = mix(tint.rgb, paper, rim);
  result = vec4(rgb * alpha, alpha);
}`;

class GlPainter {
  constructor(canvas) {
    const gl = canvas.getContext("webgl2", { antialias: false, premultipliedAlpha: true });
    if (!gl) throw new Error("no WebGL 2");
    this.gl = gl;
    this.canvas = canvas;
    this.build();
  }

  build() {
    const gl = this.gl;
    const program = gl.createProgram();
    for (const [type, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(type);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program));
    gl.useProgram(program);
    this.at = (name) => gl.getUniformLocation(program, name);
    this.buffers = {};
    for (const [name, width, type, unit] of [
      ["place", 2, gl.UNSIGNED_SHORT, true],
      ["colour", 1, gl.UNSIGNED_BYTE, false],
      ["state", 1, gl.UNSIGNED_BYTE, false],
    ]) {
      const slot = gl.getAttribLocation(program, name);
      this.buffers[name] = gl.createBuffer();
      gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[name]);
      gl.enableVertexAttribArray(slot);
      gl.vertexAttribPointer(slot, width, type, unit, 0, 0);
    }
    this.texture = gl.createTexture();
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  }

  load(name, values) {
    const gl = this.gl;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[name]);
    gl.bufferData(gl.ARRAY_BUFFER, values, gl.DYNAMIC_DRAW);
  }

  loadPalette(texels) {
    const gl = this.gl;
    gl.bindTexture(gl.TEXTURE_2D, this.texture);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, 256, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, texels);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
  }

  draw(count, frame) {
    const gl = this.gl, at = this.at;
    gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.uniform2f(at("centre"), frame.x, frame.y);
    gl.uniform2f(at("scale"), (2 * frame.scale) / frame.width, (2 * frame.scale) / frame.height);
    gl.uniform1f(at("size"), frame.size * frame.ratio);
    gl.uniform1i(at("choosing"), frame.choosing ? 1 : 0);
    gl.uniform3fv(at("muted"), frame.muted);
    gl.uniform3fv(at("paper"), frame.paper);
    for (const pass of [0, 1]) {
      gl.uniform1f(at("pass_"), pass);
      gl.drawArrays(gl.POINTS, 0, count);
    }
  }

  release() { this.gl.getExtension("WEBGL_lose_context")?.loseContext(); }
}

class PlainPainter {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.held = {};
  }

  load(name, values) { this.held[name] = values; }

  loadPalette(texels) { this.texels = texels; }

  draw(count, frame) {
    const { context: c, canvas, texels } = this;
    const { place, colour, state } = this.held;
    c.setTransform(frame.ratio, 0, 0, frame.ratio, 0, 0);
    c.clearRect(0, 0, canvas.width, canvas.height);
    const grey = `rgba(${frame.muted.map((v) => Math.round(v * 255)).join(",")},0.35)`;
    const half = frame.size / 2;
    for (const pass of [0, 1]) {
      for (let i = 0; i < count; i++) {
        const muted = state[i] === GHOST || (frame.choosing && state[i] === SHOWN);
        if (state[i] === HIDDEN || muted !== (pass === 0)) continue;
        const x = (place[2 * i] / LATTICE - frame.x) * frame.scale + frame.width / 2;
        const y = frame.height / 2 - (place[2 * i + 1] / LATTICE - frame.y) * frame.scale;
        if (x < -half || y < -half || x > frame.width + half || y > frame.height + half) continue;
        const k = 4 * colour[i];
        c.fillStyle = muted ? grey : `rgb(${texels[k]},${texels[k + 1]},${texels[k + 2]})`;
        c.fillRect(x - half, y - half, frame.size, frame.size);
      }
    }
  }

  release() {}
}

function makePainter(canvas) {
  try { return new GlPainter(canvas); } catch { return new PlainPainter(canvas); }
}
