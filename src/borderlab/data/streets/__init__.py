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
clip_files, storage the files of a clip: their names; how they are written and read
dataset             the data set itself
"""
