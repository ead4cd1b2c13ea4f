package htccsim

import "slices"

// Place is a desk with its telephones.
type Place struct {
	Name    string
	Devices []PlaceDevice
}

// PlaceDevice is a telephone on a place. Of several the one ACD position is where an agent logs in.
type PlaceDevice struct {
	Phone       string
	ACDPosition bool
}

// StockPlaces returns the places of the zero Server that are nobody's own: one with one telephone,
// one with several of which one is an ACD position, and one where it is not clear which to use.
func StockPlaces() []Place {
	return []Place{
		{Name: "Place_6001", Devices: []PlaceDevice{{Phone: "6001"}}},
		{Name: "Place_6002", Devices: []PlaceDevice{{Phone: "6002"}, {Phone: "6003", ACDPosition: true}}},
		{Name: "Place_6004", Devices: []PlaceDevice{{Phone: "6004"}, {Phone: "6005"}}},
	}
}

// furnish makes the devices of a place and returns them.
func (s *Server) furnish(place Place) []*device {
	var devices []*device
	for _, there := range place.Devices {
		d := &device{id: uuid("device", there.Phone), number: there.Phone, isACD: there.ACDPosition, presence: loggedOut()}
		s.devices[d.id] = d
		devices = append(devices, d)
	}
	return devices
}

// at returns the devices of the place, nil if there is no such place.
func (s *Server) at(name string) []*device {
	i := slices.IndexFunc(s.Places, func(p Place) bool { return p.Name == name })
	if i < 0 {
		return nil
	}
	var devices []*device
	for _, there := range s.Places[i].Devices {
		devices = append(devices, s.devices[uuid("device", there.Phone)])
	}
	return devices
}

// loginDevice returns the one of a place's devices where an agent logs in: the only one, else the
// only ACD position; nil if neither tells.
//
// Source: GWS 8.5.2, StartContactCenterSession.
func loginDevice(devices []*device) *device {
	if len(devices) == 1 {
		return devices[0]
	}
	var found *device
	for _, d := range devices {
		if d.isACD && found != nil {
			return nil
		}
		if d.isACD {
			found = d
		}
	}
	return found
}
