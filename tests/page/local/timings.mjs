export const timings = async () => {};
