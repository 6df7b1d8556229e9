export const plain = async () => {};
