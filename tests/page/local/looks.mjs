export const looks = async () => {};
