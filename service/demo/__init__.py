"""`certctl demo`: real items through the whole mission, on this machine, as an approval system would ask for it.

story.toml    who applies for what, and what happens to it afterwards
script        the story as requests
caller        an approval system over HTTP
town          the mock city repository and the service on loopback ports
play          one performance: everything done, delivered and verified
telling       what an official reads
command       the command line
"""
