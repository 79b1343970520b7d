/** OpenCV's ways with pictures of bytes, as far as preprocessors need them; numbers are those of OpenCV 4. */

/** Channels beside each other, rows from the top. */
export interface Plane<D extends Uint8Array | Float32Array = Uint8Array> {
  readonly data: D;
  readonly width: number;
  readonly height: number;
  readonly channels: number;
}

export type CvFilter = 'area' | 'cubic' | 'nearest';

interface Taps {
  /** First place and weights of each place of the result; places beyond the ends mean the ends. */
  readonly first: Int32Array;
  readonly weights: readonly (readonly number[])[];
}

/** What a place reads, by filter, where `scale` places become one. */
const TAPS: Readonly<
  Record<CvFilter, (to: number, scale: number) => { first: number; weights: number[] }>
> = {
  nearest: (to, scale) => ({ first: Math.floor(to * scale), weights: [1] }),
  cubic: (to, scale) => {
    const at = (to + 0.5) * scale - 0.5;
    const first = Math.floor(at);
    return { first: first - 1, weights: cubicWeights(at - first) };
  },
  area: (to, scale) => {
    const start = to * scale;
    const first = Math.floor(start + 1e-9);
    if (scale < 1) {
      const share = to + 1 - (first + 1) / scale;
      // OpenCV counts in parts of 2048 here.
      const fraction = share <= 0 ? 0 : Math.round((share - Math.floor(share)) * 2048) / 2048;
      return { first, weights: [1 - fraction, fraction] };
    }
    const weights: number[] = [];
    for (let i = first; i < start + scale - 1e-9; i++) {
      weights.push((Math.min(i + 1, start + scale) - Math.max(i, start)) / scale);
    }
    return { first, weights };
  },
};

/** Keys 1981 with a = -0.75. */
function cubicWeights(x: number): number[] {
  const a = -0.75;
  const far = (d: number): number => ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
  const near = (d: number): number => ((a + 2) * d - (a + 3)) * d * d + 1;
  const [first, second, third] = [far(x + 1), near(x), near(1 - x)];
  return [first, second, third, 1 - first - second - third];
}

function tapsFor(filter: CvFilter, from: number, to: number): Taps {
  const all = Array.from({ length: to }, (_, i) => TAPS[filter](i, from / to));
  return { first: Int32Array.from(all, ({ first }) => first), weights: all.map((t) => t.weights) };
}

/** cv::resize. */
export function resize(image: Plane, width: number, height: number, filter: CvFilter): Plane {
  const { channels } = image;
  if (image.width === width && image.height === height) return image;
  const across = tapsFor(filter, image.width, width);
  const down = tapsFor(filter, image.height, height);
  const rows = new Float64Array(width * image.height * channels);
  const inside = (place: number, size: number): number => Math.min(Math.max(place, 0), size - 1);
  for (let y = 0, to = 0; y < image.height; y++) {
    for (let x = 0; x < width; x++, to += channels) {
      across.weights[x].forEach((weight, k) => {
        const column = inside(across.first[x] + k, image.width);
        const from = (y * image.width + column) * channels;
        for (let c = 0; c < channels; c++) rows[to + c] += weight * image.data[from + c];
      });
    }
  }
  const length = width * channels;
  // Values are limited to bytes; halves go to the even neighbour, which this array does.
  const data = new Uint8ClampedArray(length * height);
  const sum = new Float64Array(length);
  for (let y = 0; y < height; y++) {
    sum.fill(0);
    down.weights[y].forEach((weight, k) => {
      const from = inside(down.first[y] + k, image.height) * length;
      for (let i = 0; i < length; i++) sum[i] += weight * rows[from + i];
    });
    data.set(sum, y * length);
  }
  return { data: new Uint8Array(data.buffer), width, height, channels };
}

/** The place that a picture mirrored about its end pixels shows at a place outside. */
function mirrored(place: number, size: number): number {
  if (size === 1) return 0;
  const period = 2 * (size - 1);
  const at = ((place % period) + period) % period;
  return at < size ? at : period - at;
}

/** cv::GaussianBlur of floats, its size taken from the deviation. */
export function gaussianBlur(
  { data, width, height, channels }: Plane<Float32Array>,
  sigma: number,
): Plane<Float32Array> {
  const radius = (Math.round(sigma * 8 + 1) | 1) >> 1;
  const kernel = Array.from({ length: 2 * radius + 1 }, (_, i) =>
    Math.exp(-((i - radius) ** 2) / (2 * sigma * sigma)),
  );
  const total = kernel.reduce((all, v) => all + v, 0);
  const weights = kernel.map((v) => Math.fround(v / total));
  const along = (x: Float32Array, count: number, stride: number): Float32Array => {
    const places = Array.from({ length: count + 2 * radius }, (_, i) =>
      mirrored(i - radius, count),
    );
    const out = new Float32Array(x.length);
    for (let i = 0; i < x.length; i++) {
      const at = Math.floor(i / stride) % count;
      const start = i - at * stride;
      let sum = 0;
      for (let k = 0; k <= 2 * radius; k++) sum += weights[k] * x[start + places[at + k] * stride];
      out[i] = sum;
    }
    return out;
  };
  const across = along(data, width, channels);
  return { data: along(across, height, width * channels), width, height, channels };
}

/** cv::pyrUp: twice as large, through the kernel (1, 4, 6, 4, 1). */
export function pyrUp({ data, width, height, channels }: Plane): Plane {
  const place = (i: number, size: number): number =>
    i < 0 ? Math.min(1, size - 1) : Math.min(i, size - 1);
  const doubled = (x: Float64Array, outer: number, count: number, inner: number): Float64Array => {
    const out = new Float64Array(outer * count * 2 * inner);
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < count; i++) {
        const [before, here, after] = [i - 1, i, i + 1].map(
          (n) => (o * count + place(n, count)) * inner,
        );
        const to = (o * count + i) * 2 * inner;
        for (let k = 0; k < inner; k++) {
          out[to + k] = x[before + k] + 6 * x[here + k] + x[after + k];
          out[to + inner + k] = 4 * (x[here + k] + x[after + k]);
        }
      }
    }
    return out;
  };
  const across = doubled(Float64Array.from(data), height, width, channels);
  const both = doubled(across, 1, height, width * 2 * channels);
  const bytes = Uint8Array.from(both, (v) => (v + 32) >> 6);
  return { data: bytes, width: width * 2, height: height * 2, channels };
}

/** cv::cvtColor from RGB to grey. */
export function greyOf({ data, width, height }: Plane): Plane {
  const grey = new Uint8Array(width * height);
  for (let i = 0; i < grey.length; i++) {
    const [r, g, b] = data.subarray(3 * i, 3 * i + 3);
    grey[i] = (r * 9798 + g * 19235 + b * 3735 + (1 << 14)) >> 15;
  }
  return { data: grey, width, height, channels: 1 };
}

/** Otsu's threshold (1979): what parts the grey values into two classes most clearly. */
export function otsuThreshold({ data }: Plane): number {
  const counts = new Float64Array(256);
  for (const v of data) counts[v] += 1 / data.length;
  const mean = counts.reduce((sum, share, v) => sum + share * v, 0);
  let [below, sum, best, threshold] = [0, 0, 0, 0];
  counts.forEach((share, v) => {
    below += share;
    sum += share * v;
    if (below < 1e-7 || below > 1 - 1e-7) return;
    const variance = (mean * below - sum) ** 2 / (below * (1 - below));
    if (variance > best) [best, threshold] = [variance, v];
  });
  return threshold;
}

/** tan 22.5°, in 15 bits. */
const TAN = 13573;

/** cv::Canny with gradients by Sobel, lengths by |dx| + |dy|; of several channels the steepest counts. */
export function canny(image: Plane, low: number, high: number): Plane {
  const { width, height } = image;
  const [dx, dy] = sobel(image);
  const stride = width + 2;
  const length = new Int32Array(stride * (height + 2)); // nothing around
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      length[(y + 1) * stride + x + 1] = Math.abs(dx[i]) + Math.abs(dy[i]);
    }
  }
  const [least, most] = [Math.min(low, high), Math.max(low, high)];
  const isEdge = new Uint8Array(width * height); // 1: may be, 2: is
  const open: number[] = [];
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const at = (y + 1) * stride + x + 1;
      const own = length[at];
      if (own <= least || !isCrest(length, at, stride, dx[i], dy[i])) continue;
      isEdge[i] = own > most ? 2 : 1;
      if (own > most) open.push(i);
    }
  }
  for (let i = open.pop(); i !== undefined; i = open.pop()) {
    const [x, y] = [i % width, Math.floor(i / width)];
    for (let row = Math.max(0, y - 1); row <= Math.min(height - 1, y + 1); row++) {
      for (let column = Math.max(0, x - 1); column <= Math.min(width - 1, x + 1); column++) {
        const next = row * width + column;
        if (isEdge[next] !== 1) continue;
        isEdge[next] = 2;
        open.push(next);
      }
    }
  }
  return { data: isEdge.map((v) => (v === 2 ? 255 : 0)), width, height, channels: 1 };
}

/** Whether a gradient is longer than its two neighbours along its own direction. */
function isCrest(length: Int32Array, at: number, stride: number, dx: number, dy: number): boolean {
  const own = length[at];
  const flat = Math.abs(dx) * TAN;
  const steep = Math.abs(dy) * 2 ** 15;
  if (steep < flat) return own > length[at - 1] && own >= length[at + 1];
  if (steep > flat + Math.abs(dx) * 2 ** 16) {
    return own > length[at - stride] && own >= length[at + stride];
  }
  const side = dx < 0 !== dy < 0 ? -1 : 1;
  return own > length[at - stride - side] && own > length[at + stride + side];
}

/** Gradients of the steepest channel at every pixel; the edge is repeated outwards. */
function sobel({ data, width, height, channels }: Plane): [Int16Array, Int16Array] {
  const [dx, dy] = [new Int16Array(width * height), new Int16Array(width * height)];
  for (let y = 0, i = 0; y < height; y++) {
    const rows = [y - 1, y, y + 1].map((n) => Math.min(Math.max(n, 0), height - 1) * width);
    for (let x = 0; x < width; x++, i++) {
      const columns = [x - 1, x, x + 1].map((n) => Math.min(Math.max(n, 0), width - 1));
      for (let c = 0; c < channels; c++) {
        const v = (row: number, column: number): number =>
          data[(rows[row] + columns[column]) * channels + c];
        const gx = v(0, 2) - v(0, 0) + 2 * (v(1, 2) - v(1, 0)) + v(2, 2) - v(2, 0);
        const gy = v(2, 0) - v(0, 0) + 2 * (v(2, 1) - v(0, 1)) + v(2, 2) - v(0, 2);
        if (c > 0 && Math.abs(gx) + Math.abs(gy) <= Math.abs(dx[i]) + Math.abs(dy[i])) continue;
        [dx[i], dy[i]] = [gx, gy];
      }
    }
  }
  return [dx, dy];
}
