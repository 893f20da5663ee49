/**
 * A function that lets timers, signals and the page have their turn, at most every 20 ms: backends that compute on this thread resolve
 * their reads without ever returning to the event loop, so an abort would not be heard.
 */
export function breather(): () => Promise<void> {
  let last = performance.now();
  return async () => {
    if (performance.now() - last < 20) return;
    await new Promise<void>((resume) => setTimeout(resume, 0));
    last = performance.now();
  };
}
