package icws

import (
	"testing"

	"portico/proxy/upstream/rig"
)

func TestOperationsAreAllListed(t *testing.T) { rig.Labels(t, operations) }
