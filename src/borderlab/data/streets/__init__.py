"""Streets: rendered driving videos of a small street world, with exact labels, flow and occlusion.

taxonomy            the eleven classes of CamVid
options             what a user can set
noise, canvas       painting textures
atlas               all textures in one flat memory, with smaller copies for distance
quads, camera       the world's only primitive, a moving textured parallelogram, and who looks at it
ground, buildings, greenery, furniture, cars, people
                    one kind of thing each: its textures and its quads
light, shadows      time of day, sun and the shadow map of the ground
world               the layout of one clip
raster, shading, truth
                    visibility, colour, and flow with occlusion
render              one clip, from options to arrays
storage             the files of a clip
dataset             the data set itself
"""

from borderlab.data.streets.dataset import Streets
from borderlab.data.streets.options import StreetsOptions
from borderlab.data.streets.render import RenderedClip, render_clip

__all__ = ["RenderedClip", "Streets", "StreetsOptions", "render_clip"]
