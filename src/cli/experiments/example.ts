/*
 * What `faultline init` writes: an experiment to begin with. A test sees that it is valid, and that all that it says of
 * defaults is so.
 */

/** The text of the file. */
export const exampleExperiment = `# An experiment for Faultline. Change it until it says what you believe, then
#   faultline validate FILE    is it well written?
#   faultline plan FILE        whom would it hit, just now?
#   faultline run FILE         does the hypothesis hold?
# What else can be written: docs/experiments.md

experiment: kill-one-of-two

# One sentence that can turn out to be wrong.
hypothesis: While one of two API servers is killed, every request is answered within a second.

# What is measured all the time, and what it must be.
steadyState:
  before: 3s       # measured for so long first; if it is not steady, nothing is attacked
  after: 3s        # ... and for so long after everything was undone
  recovery: 10s    # how long it may take until it is steady again
  probes:
    answers:
      http:
        url: http://127.0.0.1:8080/
        rate: 50/s            # sent at this rate whether or not answers come
        timeout: 5s
        success: 200-299
      expect:                 # before and after
        success: { atLeast: 100% }
        p99: { atMost: 250ms }
      during:                 # while the method goes on; what is not named here stays as above
        p99: { atMost: 1s }
    servers:
      process: api-server     # how many processes of this name there are
      expect: { count: 2 }
      during: { count: { between: [1, 2] } }

# What is done, in this order.
method:
  - wait: 2s
  - attack: process kill
    name: kill one server     # as it is called in reports, and in "recover:"
    with:                     # the options of faultline attack process kill
      process: api-server
      mode: one               # one of those that are found, chosen at random
      signal: KILL
  - wait: 5s
  - assert: { answers: { success: { atLeast: 99.9% } } }

# What the method may touch at most. What would go beyond is refused before it happens.
blastRadius:
  targets: 1
  percent: 50%                # of the processes that an attack finds
  duration: 60s
  processes: [api-server]

# What ends the run at once, while it goes on.
abort:
  - unless: { answers: { success: { atLeast: 50% } } }
    for: 2s

# Whatever happens, attacks are undone by themselves. Here is what else is to be done then.
rollbacks: []
#  - run: [systemctl, restart, api-server]
`;
