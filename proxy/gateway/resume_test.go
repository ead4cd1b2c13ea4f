package gateway

import (
	"errors"
	"testing"
	"testing/synctest"

	"portico/proxy/fault"
	"portico/proxy/htcc"
	"portico/proxy/htcc/htccsim"
	"portico/proxy/icws"
	"portico/proxy/icws/icwssim"
	"portico/proxy/upstream"
)

// at has both sites at addresses of which nothing else answers.
func at(sim *icwssim.Server, cloud *htccsim.Server, icwsHost, htccHost string) option {
	return func(s *Settings, site *Site) {
		ways, clouds := newPower(sim.Transport()), newPower(cloud.Transport())
		for _, host := range []string{"old.example:8018", "new.example:8018"} {
			ways.turn(host, host == icwsHost)
		}
		for _, host := range []string{"old.example:8090", "new.example:8090"} {
			clouds.turn(host, host == htccHost)
		}
		site.ICWS = icws.New(icws.Settings{Site: "pureconnect", Bases: []string{"http://" + icwsHost}, Application: "Portico", Language: "en-us",
			Timeout: readTimeout, Limits: unpaced(), HTTP: ways, Metrics: upstream.NewMetrics(nil, []string{"pureconnect"})})
		s.Sites = []Site{{Name: "cloud", HTCC: htcc.New(htcc.Settings{Site: "cloud", Bases: []string{"http://" + htccHost},
			Timeout: readTimeout, Limits: unpaced(), HTTP: clouds, Metrics: upstream.NewMetrics(nil, []string{"cloud"})})}}
		s.Route = unionRoute
	}
}

// TestASessionAtAnAddressThatIsNoneOfTheSiteIsLeft gives both sites new addresses, by a restart of the only replica.
func TestASessionAtAnAddressThatIsNoneOfTheSiteIsLeft(t *testing.T) {
	for _, name := range []string{"anna", "bjorn", "cleo"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fleet, cloud := newShared(), &htccsim.Server{}
				t.Cleanup(cloud.Close)
				before, _ := fleet.replica(t, at(fleet.sim, cloud, "old.example:8018", "old.example:8090"))
				agent := before.login(name)
				want := before.shows(agent)
				settle()
				before.Close(t.Context())
				after, _ := fleet.replica(t, at(fleet.sim, cloud, "new.example:8018", "new.example:8090"))
				after.expect(after.login(name), "with the password, at the new address", want)
				settle()
				after.expect(after.cookie(agent.SessionID()), "with the cookie, later", want)
			})
		})
	}
}

// TestACookieOfAnAddressThatIsNoneOfTheSite finds nobody whose password could open another session.
func TestACookieOfAnAddressThatIsNoneOfTheSite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet, cloud := newShared(), &htccsim.Server{}
		t.Cleanup(cloud.Close)
		before, _ := fleet.replica(t, at(fleet.sim, cloud, "old.example:8018", "old.example:8090"))
		id := before.login("anna").SessionID()
		settle()
		before.Close(t.Context())
		after, _ := fleet.replica(t, at(fleet.sim, cloud, "new.example:8018", "new.example:8090"))
		after.cookie(id)
		settle()
		_, err := after.Login(t.Context(), Caller{SessionID: id})
		if !errors.Is(err, fault.Unauthenticated) {
			t.Errorf("the cookie = %v; want %v, so that the agent logs in", err, fault.Unauthenticated)
		}
		after.login("anna")
	})
}

// TestNewAddressesEndNoSessionThatAReplicaOfBeforeServes gives both sites new addresses at one replica, to which a cookie
// comes, while another still has the old ones, reads for the agent and knows the password.
func TestNewAddressesEndNoSessionThatAReplicaOfBeforeServes(t *testing.T) {
	for _, name := range []string{"anna", "bjorn", "cleo"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fleet, cloud := newShared(), &htccsim.Server{}
				t.Cleanup(cloud.Close)
				before, _ := fleet.replica(t, at(fleet.sim, cloud, "old.example:8018", "old.example:8090"))
				agent := before.login(name)
				want := before.shows(agent)
				settle()
				agent.expectReads(t, "at the old addresses", true)
				after, _ := fleet.replica(t, at(fleet.sim, cloud, "new.example:8018", "new.example:8090"))
				_, err := after.Me(t.Context(), after.cookie(agent.SessionID()), nil)
				if !errors.Is(err, fault.Unreachable) {
					t.Errorf("a read at the new addresses = %v; want %v", err, fault.Unreachable)
				}
				settle()
				before.expect(before.cookie(agent.SessionID()), "at the old addresses", want)
				after.expect(after.login(name), "with the password, at the new ones", want)
				settle()
				before.expect(before.cookie(agent.SessionID()), "at the old addresses, later", want)
			})
		})
	}
}
