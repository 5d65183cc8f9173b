/** Of the images that benchmarks build: nobody's own are replaced. */
export const PREFIX = 'ingesta-bench-';
