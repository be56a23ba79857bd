/** The GLSL of the live picture: stretched chroma brought back into RGB; then one texture, one 3D LUT, one wipe. */

export const VERTEX_SHADER = `#version 300 es
out vec2 at;
void main() {
  // One triangle that covers the clip square; picture coordinates have their origin at the top left.
  vec2 corner = vec2(float((gl_VertexID << 1) & 2), float(gl_VertexID & 2));
  at = vec2(corner.x, 1.0 - corner.y);
  gl_Position = vec4(corner * 2.0 - 1.0, 0.0, 1.0);
}
`;

export const FRAGMENT_SHADER = `#version 300 es
precision highp float;
precision highp sampler2D;
precision highp sampler3D;
uniform sampler2D picture;
uniform sampler3D lut;
uniform float lut_size;
uniform float split;
uniform bool corrected;
in vec2 at;
out vec4 color;
void main() {
  vec3 encoded = texture(picture, at).rgb;
  if (corrected && at.x >= split) {
    // Half a texel in from each edge, so that 0 and 1 fall on the centers of the first and last texel.
    encoded = texture(lut, (encoded * (lut_size - 1.0) + 0.5) / lut_size).rgb;
  }
  color = vec4(encoded, 1.0);
}
`;

/** One triangle that covers a texture, row 0 first. */
export const COVER_SHADER = `#version 300 es
void main() {
  vec2 corner = vec2(float((gl_VertexID << 1) & 2), float(gl_VertexID & 2));
  gl_Position = vec4(corner * 2.0 - 1.0, 0.0, 1.0);
}
`;

export const PLANES_SHADER = `#version 300 es
precision highp float;
precision highp int;
precision highp sampler2D;
uniform sampler2D luma;
uniform sampler2D cb;
uniform sampler2D cr;
uniform sampler2D tables;
uniform bool interleaved;
uniform mat3 to_rgb;
uniform vec3 to_rgb_offset;
out vec4 color;

// One chroma sample as the camera had it, 0 to 255.
vec2 chroma(ivec2 at) {
  at = clamp(at, ivec2(0), textureSize(cb, 0) - 1);
  vec4 first = texelFetch(cb, at, 0);
  float second = interleaved ? first.g : texelFetch(cr, at, 0).r;
  return vec2(
    texelFetch(tables, ivec2(int(first.r * 255.0 + 0.5), 0), 0).r,
    texelFetch(tables, ivec2(int(second * 255.0 + 0.5), 1), 0).r
  );
}

void main() {
  ivec2 pixel = ivec2(gl_FragCoord.xy);
  // A chroma sample lies in the middle of four pixels.
  vec2 position = (vec2(pixel) - 0.5) * 0.5;
  ivec2 low = ivec2(floor(position));
  vec2 part = position - floor(position);
  vec2 between = mix(
    mix(chroma(low), chroma(low + ivec2(1, 0)), part.x),
    mix(chroma(low + ivec2(0, 1)), chroma(low + ivec2(1, 1)), part.x),
    part.y
  );
  vec3 rgb = to_rgb * vec3(texelFetch(luma, pixel, 0).r * 255.0, between) + to_rgb_offset;
  color = vec4(clamp(rgb / 255.0, 0.0, 1.0), 1.0);
}
`;

/** Row by row the samples of one patch each, as they are in the picture. */
export const SAMPLES_SHADER = `#version 300 es
precision highp float;
precision highp int;
precision highp sampler2D;
uniform sampler2D picture;
uniform int side;
uniform float reach;
uniform vec2 centers[24];
uniform vec2 across[24];
uniform vec2 down[24];
out vec4 color;
void main() {
  ivec2 at = ivec2(gl_FragCoord.xy);
  vec2 offset = vec2(float(at.x % side), float(at.x / side)) * (2.0 * reach / float(side - 1)) - reach;
  vec2 place = centers[at.y] + offset.x * across[at.y] + offset.y * down[at.y];
  color = texelFetch(picture, clamp(ivec2(floor(place + 0.5)), ivec2(0), textureSize(picture, 0) - 1), 0);
}
`;
