/** How long work takes, whatever else the machine does meanwhile. */

/** Starts to count; the answer tells the milliseconds of processor time that this process spent since. */
export function cpuTimer(): () => number {
  const begin = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(begin);
    return (user + system) / 1000;
  };
}
