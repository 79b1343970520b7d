/**
 * torch's vectorised normal transform: blocks of 16 uniforms become 16 normals, in single precision
 * throughout. ln, sin and cos are the Cephes polynomials of its AVX code, so results are equal to the
 * bit on x86. Each `fround(a * b + c)` stands for one fused multiply-add.
 */
const f = Math.fround;

const lnCoefficients = [
  -1.151461031e-1, 1.167699874e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
  2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
].map(f);
const ln0 = f(7.0376836292e-2);
const lnLow = f(-2.1219444e-4);
const lnHigh = f(0.693359375);
const sqrtHalf = f(0.70710677);

const bits = new DataView(new ArrayBuffer(4));

/** Natural logarithm of a normal float in (0, 1]. */
function ln(u: number): number {
  bits.setFloat32(0, u);
  const word = bits.getUint32(0);
  let e = (word >>> 23) - 126;
  bits.setUint32(0, (word & 0x7fffff) | 0x3f000000);
  let m = bits.getFloat32(0); // [0.5, 1)
  if (m < sqrtHalf) {
    e -= 1;
    m = f(2 * m - 1);
  } else {
    m = f(m - 1);
  }
  const z = f(m * m);
  let y = ln0;
  for (const c of lnCoefficients) y = f(y * m + c);
  y = f(y * m);
  y = f(y * z + f(e * lnLow));
  y = f(y - f(0.5 * z));
  return f(e * lnHigh + f(m + y));
}

const fourOverPi = f(1.27323954473516);
const pi1 = f(-0.78515625);
const pi2 = f(-2029 / 2 ** 23);
const pi3 = f(-3.774894977445941e-8);
const cos0 = f(2.443315711809948e-5);
const cos1 = f(-1.388731625493765e-3);
const cos2 = f(4.166664568298827e-2);
const sin0 = f(-1.9515295891e-4);
const sin1 = f(8.3321608736e-3);
const sin2 = f(-1.6666654611e-1);
const twoPi = f(2 * Math.PI);

/**
 * Turns the 16 uniforms of [0, 1) at `offset` into 16 normals in place: values 0..7 give the
 * radius, 8..15 the angle (Box and Muller 1958).
 */
export function normalBlock(data: Float32Array, offset: number): void {
  for (let i = offset; i < offset + 8; i++) {
    const r = f(Math.sqrt(f(-2 * ln(f(1 - data[i])))));
    const t = f(twoPi * data[i + 8]);
    const j = (Math.trunc(f(t * fourOverPi)) + 1) & ~1;
    let x = f(j * pi1 + t);
    x = f(j * pi2 + x);
    x = f(j * pi3 + x);
    const z = f(x * x);
    let c = f(cos0 * z + cos1);
    c = f(c * z + cos2);
    c = f(c * z);
    c = f(f(c * z + f(-0.5 * z)) + 1);
    let s = f(sin0 * z + sin1);
    s = f(s * z + sin2);
    s = f(s * z);
    s = f(s * x + x);
    const sine = j & 2 ? c : s;
    const cosine = j & 2 ? s : c;
    data[i] = f(r * ((j - 2) & 4 ? cosine : -cosine));
    data[i + 8] = f(r * (j & 4 ? -sine : sine));
  }
}
