/** The GLSL of the corrected picture: one triangle, one video texture, one 3D LUT, one wipe. */

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
