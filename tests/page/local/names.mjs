export const hostileNames = async () => {};
