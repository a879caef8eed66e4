// Several recordings as one: decoded once, started together, heard one at a time.

const FADE_S = 0.012;

export class Engine {
  constructor(urls, gains) {
    this.urls = urls;
    this.gains = gains;
    this.context = null;
    this.buffers = [];
    this.nodes = [];
    this.volumes = [];
    this.current = 0;
    this.matched = true;
    this.region = [0, 0];
    this.offset = 0;
    this.startedAt = null;
  }

  get playing() {
    return this.startedAt !== null;
  }

  get duration() {
    return this.buffers.length ? this.buffers[0].duration : 0;
  }

  async prepare() {
    if (this.buffers.length) return;
    this.context = new AudioContext();
    const decoded = await Promise.all(this.urls.map((url) => this.context.decodeAudioData(bytesOf(url))));
    this.buffers = decoded;
    const shortest = Math.min(...decoded.map((buffer) => buffer.duration));
    this.region = [0, shortest];
  }

  // Where in the excerpt all of them are now.
  position() {
    if (!this.playing) return this.offset;
    const [start, end] = this.region;
    const raw = this.offset + Math.max(0, this.context.currentTime - this.startedAt);
    return raw < end ? raw : start + ((raw - start) % Math.max(0.05, end - start));
  }

  async play() {
    await this.prepare();
    await this.context.resume();
    this.halt();
    const [start, end] = this.region;
    if (this.offset < start || this.offset >= end) this.offset = start;
    const when = this.context.currentTime + 0.05;
    this.nodes = this.buffers.map((buffer, place) => {
      const node = new AudioBufferSourceNode(this.context, { buffer, loop: true, loopStart: start, loopEnd: end });
      const volume = new GainNode(this.context, { gain: this.level(place) });
      node.connect(volume).connect(this.context.destination);
      node.start(when, this.offset);
      this.volumes[place] = volume;
      return { node, when, offset: this.offset };
    });
    this.startedAt = when;
  }

  pause() {
    this.offset = this.position();
    this.halt();
  }

  halt() {
    for (const { node } of this.nodes) {
      node.stop();
      node.disconnect();
    }
    this.nodes = [];
    this.startedAt = null;
  }

  async seek(seconds) {
    const on = this.playing;
    this.halt();
    this.offset = seconds;
    if (on) await this.play();
  }

  async setRegion(start, end) {
    const [on, at] = [this.playing, this.position()];
    this.region = [start, Math.max(end, start + 0.1)];
    this.halt();
    this.offset = at;
    if (on) await this.play();
  }

  select(place) {
    this.current = place;
    this.fade();
  }

  match(on) {
    this.matched = on;
    this.fade();
  }

  level(place) {
    if (place !== this.current) return 0;
    return this.matched ? 10 ** (this.gains[place] / 20) : 1;
  }

  // Every version fades at the same moment: the old one out while the new one comes in.
  fade() {
    if (!this.playing) return;
    const now = this.context.currentTime;
    this.volumes.forEach((volume, place) => {
      const { gain } = volume;
      gain.cancelScheduledValues(now);
      gain.setValueAtTime(gain.value, now);
      gain.linearRampToValueAtTime(this.level(place), now + FADE_S);
    });
  }

  // When and from where each version was started, for whoever doubts that they are in step.
  schedule() {
    return this.nodes.map(({ when, offset }) => ({ when, offset }));
  }
}

function bytesOf(url) {
  const text = atob(url.slice(url.indexOf(",") + 1));
  const bytes = new Uint8Array(text.length);
  for (let place = 0; place < text.length; place += 1) bytes[place] = text.charCodeAt(place);
  return bytes.buffer;
}
