/** Texts of another language by their English ones. */
export type Texts = Readonly<Record<string, string>>;
