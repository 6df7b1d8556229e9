export const interrupted = async () => {};
